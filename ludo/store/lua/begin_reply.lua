-- Asks whether a request with an idempotency key may go out.
-- Answers {go} | {reused} (another body had this key) | {busy} | {done, status, body}.
local reply = KEYS[1]
local digest, token, running, ttl = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local now = now_ms()

local kept = redis.call('HMGET', reply, 'digest', 'status', 'body', 'token', 'until')
if kept[1] and kept[1] ~= digest then return { 'reused' } end
if kept[2] then return { 'done', kept[2], kept[3] } end
if kept[4] and kept[4] ~= token and tonumber(kept[5]) > now then return { 'busy' } end
redis.call('HSET', reply, 'digest', digest, 'token', token, 'until', now + running)
redis.call('PEXPIRE', reply, ttl)
return { 'go' }
