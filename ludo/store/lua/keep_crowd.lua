-- Renews one node's lease, and corrects its counts: user, connections, …
-- KEYS: the nodes, this node's users. ARGV: node, lease ms, whole (1: these are all its users).
-- Answers 0 if Redis has forgotten the node, which then has to tell of all its users.
local nodes, users = KEYS[1], KEYS[2]
local node, lease_ms, whole = ARGV[1], tonumber(ARGV[2]), ARGV[3] == '1'
local now = now_ms()

local known = redis.call('ZSCORE', nodes, node)
redis.call('ZREMRANGEBYSCORE', nodes, '-inf', now)
redis.call('ZADD', nodes, now + lease_ms, node)
redis.call('PEXPIRE', nodes, lease_ms)
if whole then redis.call('DEL', users) end
for i = 4, #ARGV, 2 do
  if ARGV[i + 1] == '0' then
    redis.call('HDEL', users, ARGV[i])
  else
    redis.call('HSET', users, ARGV[i], ARGV[i + 1])
  end
end
redis.call('PEXPIRE', users, lease_ms)
return (known or whole) and 1 or 0
