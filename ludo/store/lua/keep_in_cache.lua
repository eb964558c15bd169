-- Keeps a fetched answer and ends its flight. KEYS: entry, flight, vary, entries, one generation a
-- tag. ARGV: token, generations, secondary key of the flight, body, soft, hard, keep (ms), how many
-- entries at most, what the answer varies on, then the request's fields as in look_in_cache.
-- An answer that was asked for before a purge is not kept after it.
-- Answers kept | purged | lost (somebody else fetches by now).
local flight, entries = KEYS[2] .. ARGV[3], KEYS[4]
local token, generations, body = ARGV[1], ARGV[2], ARGV[4]
local soft, hard, keep = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local most, names = tonumber(ARGV[8]), ARGV[9]

if redis.call('GET', flight) ~= token then return 'lost' end
local current = {}
for i = 5, #KEYS do current[#current + 1] = redis.call('GET', KEYS[i]) or '0' end
redis.call('DEL', flight)
if table.concat(current, ' ') ~= generations then return 'purged' end

local now = now_ms()
local entry = KEYS[1] .. secondary_of(names, 10)
redis.call('HSET', entry, 'generations', generations, 'soft', now + soft, 'hard', now + hard,
  'body', body)
redis.call('PEXPIRE', entry, keep)
if names == '' then
  redis.call('DEL', KEYS[3])
else
  redis.call('SET', KEYS[3], names, 'PX', math.max(keep, redis.call('PTTL', KEYS[3])))
end
-- What would end first leaves first.
redis.call('ZREMRANGEBYSCORE', entries, '-inf', now)
redis.call('ZADD', entries, now + keep, entry)
redis.call('PEXPIRE', entries, 86400000)
local over = redis.call('ZCARD', entries) - most
if over > 0 then
  local leaving = redis.call('ZPOPMIN', entries, over)
  for i = 1, #leaving, 2 do redis.call('UNLINK', leaving[i]) end
end
return 'kept'
