-- Keeps a circuit's state unless a later epoch is known. Answers 1 | 0.
local name, phase, epoch = ARGV[1], ARGV[2], tonumber(ARGV[3])
local open_for, ttl = tonumber(ARGV[4]), tonumber(ARGV[5])
local kept = redis.call('HGET', KEYS[1], name)
if kept and tonumber(string.match(kept, '^%d+')) >= epoch then return 0 end
redis.call('HSET', KEYS[1], name, string.format('%d %s %d', epoch, phase, now_ms() + open_for))
redis.call('PEXPIRE', KEYS[1], ttl)
return 1
