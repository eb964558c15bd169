-- Takes note of upstream's own count: calls that are not ours fill the log until its window ends.
-- Sent twice it adds nothing, since the first time made the counts agree.
-- Answers how many permits are left.
local log, state = KEYS[1], KEYS[2]
local nonce, limit, window = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local remaining, reset, margin = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local now = now_ms()

redis.call('ZREMRANGEBYSCORE', log, '-inf', now - window)
local left = limit - redis.call('ZCARD', log)
local foreign = left - remaining
if foreign <= 0 then return left end
-- Upstream's clock may be wrong: its window ends between a second and a whole window from now.
local ends = math.max(now + 1000, math.min(reset, now + window - margin)) + margin
for i = 1, foreign do redis.call('ZADD', log, ends - window, nonce .. ':' .. i) end
redis.call('PEXPIRE', log, window)
return remaining
