-- Keeps a fetched answer and ends its flight. KEYS: entry, flight, vary, entries, one generation a
-- tag. ARGV: token, generations, secondary key of the flight, when it began, body, soft, hard, on error, keep
-- (ms), how many entries at most, what the answer varies on, then the request's fields as in look_in_cache.
-- An answer that was asked for before a purge is not kept after it.
-- Answers kept | purged | lost (somebody else fetches by now).
local flight, entries = KEYS[2] .. ARGV[3], KEYS[4]
local token, generations, began, body = ARGV[1], ARGV[2], tonumber(ARGV[4]), ARGV[5]
local soft, hard, on_error = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local keep, most, names = tonumber(ARGV[9]), tonumber(ARGV[10]), ARGV[11]

local entry = KEYS[1] .. secondary_of(names, 12)
local holder = redis.call('GET', flight)
if holder and holder ~= token then return 'lost' end
-- A flight that ran out while nobody else began one is as good as held, unless somebody began one
-- and ended it: then there is an answer that is newer than ours.
if not holder and tonumber(redis.call('HGET', entry, 'at') or '0') >= began then return 'lost' end
local current = {}
for i = 5, #KEYS do current[#current + 1] = redis.call('GET', KEYS[i]) or '0' end
redis.call('DEL', flight)
if table.concat(current, ' ') ~= generations then return 'purged' end

local now = now_ms()
redis.call('HSET', entry, 'generations', generations, 'soft', now + soft, 'hard', now + hard,
  'on_error', now + on_error, 'body', body, 'at', now)
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
