-- Looks at the log, and leases permits ahead for an asker who may lose sight of Redis.
-- A leased permit is entered with the time at which its lease ends: whenever it is used until
-- then, the log counts the call no earlier than upstream does. It leaves `keep` for others. What
-- does not fit any more is only told: the asker stops using it, and gives it back the next time.
-- ARGV from the tenth: how many tokens are given back, these, then those that are wanted.
-- Answers {left, log, count, limit, 1 | 0 for each wanted token}.
local log, state = KEYS[1], KEYS[2]
local keep, limit, lease = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local asker = { known = ARGV[4], seen = tonumber(ARGV[5]), fresh = ARGV[6],
  window = tonumber(ARGV[7]), settle = tonumber(ARGV[8]), ttl = tonumber(ARGV[9]) }
local first_wanted = 11 + tonumber(ARGV[10])
local now = now_ms()
local book = permit_log(state, asker, now)
if book.limit > 0 then limit = math.min(limit, book.limit) end

redis.call('ZREMRANGEBYSCORE', log, '-inf', now - asker.window)
for i = 11, first_wanted - 1 do redis.call('ZREM', log, ARGV[i]) end
local used = redis.call('ZCARD', log)
local answers = {}
for i = first_wanted, #ARGV do
  local held = redis.call('ZSCORE', log, ARGV[i])
  local others = held and used - 1 or used
  local fits = book.closed <= now and others + keep < limit
  if fits or held then redis.call('ZADD', log, now + lease, ARGV[i]) end
  if fits and not held then
    used = used + 1
    book.count = redis.call('HINCRBY', state, 'count', 1)
  end
  answers[#answers + 1] = fits and 1 or 0
end
if redis.call('EXISTS', log) == 1 then redis.call('PEXPIRE', log, asker.window + lease) end
local left = book.closed > now and 0 or math.max(0, limit - used)
return { left, book.name, book.count, limit, unpack(answers) }
