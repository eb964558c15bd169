-- Takes one permit of upstream's budget, or says how long there will be none.
-- The log holds at most `limit` entries of one window, so no window ever sees more calls.
-- `keep` permits stay for more urgent classes.
-- Answers {verdict, number, log, count, limit}:
--   taken, permits left | spent, ms until one is free | closed, ms until the log opens
local log, state = KEYS[1], KEYS[2]
local token, keep, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local asker = { known = ARGV[4], seen = tonumber(ARGV[5]), fresh = ARGV[6],
  window = tonumber(ARGV[7]), settle = tonumber(ARGV[8]), ttl = tonumber(ARGV[9]) }
local now = now_ms()
local book = permit_log(state, asker, now)
if book.limit > 0 then limit = math.min(limit, book.limit) end

local function answer(verdict, number)
  return { verdict, number, book.name, book.count, limit }
end

redis.call('ZREMRANGEBYSCORE', log, '-inf', now - asker.window)
local used = redis.call('ZCARD', log)
if redis.call('ZSCORE', log, token) then return answer('taken', math.max(0, limit - used)) end
if book.closed > now then return answer('closed', book.closed - now) end
if used + keep < limit then
  redis.call('ZADD', log, now, token)
  book.count = redis.call('HINCRBY', state, 'count', 1)
  if redis.call('PTTL', log) < asker.window then redis.call('PEXPIRE', log, asker.window) end
  return answer('taken', limit - used - 1)
end
local last = redis.call('ZRANGE', log, used + keep - limit, used + keep - limit, 'WITHSCORES')
local wait = last[2] and tonumber(last[2]) + asker.window - now or asker.window
return answer('spent', math.max(1, wait))
