-- Keeps a fetched answer and ends its flight. KEYS: entry, flight, one generation a tag.
-- An answer that was asked for before a purge is not kept after it.
-- Answers kept | purged | lost (somebody else fetches by now).
local entry, flight = KEYS[1], KEYS[2]
local token, generations, body = ARGV[1], ARGV[2], ARGV[3]
local soft, hard, keep = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

if redis.call('GET', flight) ~= token then return 'lost' end
local current = {}
for i = 3, #KEYS do current[#current + 1] = redis.call('GET', KEYS[i]) or '0' end
redis.call('DEL', flight)
if table.concat(current, ' ') ~= generations then return 'purged' end
local now = now_ms()
redis.call('HSET', entry, 'generations', generations, 'soft', now + soft, 'hard', now + hard,
  'body', body)
redis.call('PEXPIRE', entry, keep)
return 'kept'
