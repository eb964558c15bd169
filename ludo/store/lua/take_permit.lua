-- Takes one permit of upstream's budget, or says how long there will be none.
-- The log holds at most `limit` entries of one window, so no window ever sees more calls.
-- `keep` permits stay for more urgent classes. `known` is the log that the caller wrote to a
-- moment ago ('' if none): if it is another one now, ours was lost, and calls that upstream still
-- counts are forgotten here; nothing goes out until they would have left the window.
-- Answers {1, left, log} | {0, wait ms, log}.
local log, state = KEYS[1], KEYS[2]
local token, keep, limit, window = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local known, fresh, state_ttl = ARGV[5], ARGV[6], tonumber(ARGV[7])
local now = now_ms()

local kept = redis.call('HMGET', state, 'log', 'born', 'closed')
local name, born, closed = kept[1] or fresh, tonumber(kept[2] or now), tonumber(kept[3] or '0')
if redis.call('ZSCORE', log, token) then return { 1, limit - redis.call('ZCARD', log), name } end
if known ~= '' and known ~= name then closed = math.max(closed, born + window) end
redis.call('HSET', state, 'log', name, 'born', born, 'closed', closed)
redis.call('PEXPIRE', state, state_ttl)
if closed > now then return { 0, closed - now, name } end

redis.call('ZREMRANGEBYSCORE', log, '-inf', now - window)
local used = redis.call('ZCARD', log)
local over = used + 1 + keep - limit
if over > 0 then
  local last = redis.call('ZRANGE', log, over - 1, over - 1, 'WITHSCORES')
  local wait = last[2] and tonumber(last[2]) + window - now or window
  return { 0, math.max(1, wait), name }
end
redis.call('ZADD', log, now, token)
redis.call('PEXPIRE', log, window)
return { 1, limit - used - 1, name }
