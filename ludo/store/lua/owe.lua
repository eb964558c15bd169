-- A game's state has to be fetched, whatever is known of it, unless it is archived.
local game, due, lease, queue, nudge = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local game_id, fresh, reason, ttl = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local now = now_ms()
if redis.call('HEXISTS', game, 'tombstone') == 1 then return 0 end -- the archive has it
owe(game, reason, now)
redis.call('HSETNX', game, 'v', '1')
redis.call('EXPIRE', game, ttl)
due_by(due, game_id, now)
wake_once(game, lease, queue, nudge, 'resync_game', game_id, fresh, now)
return 1
