-- Has a worker look at a game that does not exist: it claims it, decides nothing, and commits that.
local game, queue, nudge = KEYS[1], KEYS[2], KEYS[3]
local now = now_ms()
redis.call('HSET', game, 'v', '1')
redis.call('EXPIRE', game, UNKNOWN_GAME_S)
wake(queue, nudge, 'apply_game', ARGV[1], ARGV[2], now, now)
return 1
