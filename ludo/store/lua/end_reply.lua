-- Keeps the first answer of a request, or with an empty status only lets the next try go out.
-- Answers 1 | 0 (another try has taken over).
local reply = KEYS[1]
local token, status, body, ttl = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if redis.call('HGET', reply, 'token') ~= token then return 0 end
redis.call('HDEL', reply, 'token', 'until')
if status ~= '' then redis.call('HSET', reply, 'status', status, 'body', body) end
redis.call('PEXPIRE', reply, ttl)
return 1
