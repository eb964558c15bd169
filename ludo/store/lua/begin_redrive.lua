-- Counts another try of a dead letter, before its event is accepted again. Answers 1 | 0.
local dead, redriven = KEYS[1], KEYS[2]
local letter, nonce, ttl = ARGV[1], ARGV[2], tonumber(ARGV[3])
if #redis.call('XRANGE', dead, letter, letter) == 0 then return 0 end
local tries, _, latest = string.match(redis.call('HGET', redriven, letter) or '0 0 -',
  '^(%d+) (%d+) (%S+)')
if latest ~= nonce then
  redis.call('HSET', redriven, letter,
    string.format('%d %.0f %s pending ', tonumber(tries) + 1, now_ms(), nonce))
end
redis.call('EXPIRE', redriven, ttl)
return 1
