-- Takes the lease of a game and hands out what is needed to decide.
-- Answers {held}, {archived} or {ok, now, fields, entries, digests}.
local game, lease, inbox, seen, queue = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local token, lease_ms, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local holder = redis.call('GET', lease)
if holder and holder ~= token then return { 'held' } end
if redis.call('HEXISTS', game, 'tombstone') == 1 then return { 'archived' } end
local fields, entries, digests = take_game(game, lease, inbox, seen, queue, token, lease_ms, limit)
return { 'ok', now_ms(), fields, entries, digests }
