-- Gives every node an order, and keeps what it revokes for as long as a token may live.
-- KEYS: the orders, what is revoked (or the orders again). ARGV: order, kept s, bound, orders' s.
local orders, revoked = KEYS[1], KEYS[2]
local order, kept, bound, ttl = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local now = now_ms()
if revoked ~= orders then
  redis.call('SET', revoked, math.floor(now / 1000), 'EX', kept)
end
local id = redis.call('XADD', orders, 'MAXLEN', bound, '*', 'v', '1', 'o', order)
redis.call('EXPIRE', orders, ttl)
redis.call('PUBLISH', orders, id)
return id
