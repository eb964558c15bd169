-- A game that has no mirror is wanted, or known to be played: it owes a fetch, at most one each
-- two seconds.
local game, due, lease, queue, nudge = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local game_id, fresh, reason = ARGV[1], ARGV[2], ARGV[3]
local now = now_ms()
if redis.call('HEXISTS', game, 'epoch') == 1 then return 0 end
local asked = tonumber(redis.call('HGET', game, 'asked_at') or '0')
if now - asked < 2000 then return 0 end
local created = redis.call('EXISTS', game) == 0
if redis.call('HEXISTS', game, 'owed') == 0 then owe(game, reason, now) end
redis.call('HSET', game, 'v', '1', 'asked_at', now)
if created then redis.call('EXPIRE', game, UNKNOWN_GAME_S) end
due_by(due, game_id, now)
wake_once(game, lease, queue, nudge, 'resync_game', game_id, fresh, now)
return 1
