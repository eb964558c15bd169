-- Takes one more connection of a user on one node, unless all nodes together have enough.
-- KEYS: the nodes, this node's users. ARGV: node, lease ms, prefix of nodes' users, user,
-- connections of the user on this node with this one, limit. A node that says nothing for a lease
-- does not count: whoever was there is gone with it. Answers 1 if it may enter.
local nodes, users = KEYS[1], KEYS[2]
local node, lease_ms, prefix, user = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local count, limit = tonumber(ARGV[5]), tonumber(ARGV[6])
local now = now_ms()

local all = count
for _, other in ipairs(redis.call('ZRANGEBYSCORE', nodes, '(' .. now, '+inf')) do
  if other ~= node then all = all + tonumber(redis.call('HGET', prefix .. other, user) or '0') end
end
if all > limit then return 0 end
redis.call('ZREMRANGEBYSCORE', nodes, '-inf', now)
redis.call('ZADD', nodes, now + lease_ms, node)
redis.call('PEXPIRE', nodes, lease_ms)
-- A whole count instead of an increment: the script may be sent twice.
redis.call('HSET', users, user, count)
redis.call('PEXPIRE', users, lease_ms)
return 1
