-- Takes note of upstream's own count: calls that are not ours fill the log until its window ends,
-- and a limit below ours holds from here on. Sent twice it adds nothing, since the first time made
-- the counts agree. Answers {permits left, limit}.
local log, state = KEYS[1], KEYS[2]
local nonce, limit, window = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local remaining, reset, margin = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local told, ttl = tonumber(ARGV[7]), tonumber(ARGV[8])
local now = now_ms()

if told > 0 then
  redis.call('HSET', state, 'limit', told)
  redis.call('PEXPIRE', state, ttl)
end
told = tonumber(redis.call('HGET', state, 'limit') or '0')
if told > 0 then limit = math.min(limit, told) end
redis.call('ZREMRANGEBYSCORE', log, '-inf', now - window)
local left = limit - redis.call('ZCARD', log)
-- Upstream has not seen the permits that are leased ahead: theirs are the times to come.
local foreign = left + redis.call('ZCOUNT', log, '(' .. now, '+inf') - remaining
if foreign <= 0 then return { math.max(0, left), limit } end
-- Upstream's clock may be wrong: its window ends between a second and a whole window from now.
local ends = math.max(now + 1000, math.min(reset, now + window - margin)) + margin
for i = 1, foreign do redis.call('ZADD', log, ends - window, nonce .. ':' .. i) end
if redis.call('PTTL', log) < window then redis.call('PEXPIRE', log, window) end
return { math.max(0, left - foreign), limit }
