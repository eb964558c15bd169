-- Starts the one resync of a game that is owed now.
-- Answers {go, now} | {early} | {busy} | {none}.
local game, flight = KEYS[1], KEYS[2]
local token, flight_ms = ARGV[1], tonumber(ARGV[2])
local now = now_ms()
local owed = redis.call('HMGET', game, 'owed', 'owed_at')
redis.call('HDEL', game, 'queued', 'look')
if not owed[1] then return { 'none' } end
if tonumber(owed[2] or '0') > now then return { 'early' } end
local holder = redis.call('GET', flight)
if holder and holder ~= token then return { 'busy' } end
redis.call('SET', flight, token, 'PX', flight_ms)
return { 'go', now }
