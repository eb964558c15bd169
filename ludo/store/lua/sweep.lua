-- Queues again every game that is due and that nobody holds or was told of. Answers how many.
local due, queue, nudge = KEYS[1], KEYS[2], KEYS[3]
local limit, fresh = tonumber(ARGV[1]), ARGV[2]
local games, leases = ARGV[3], ARGV[4] -- what their keys begin with
local now = now_ms()
local woken = 0
for _, game_id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, limit)) do
  local game = games .. game_id
  local queued = tonumber(redis.call('HGET', game, 'queued') or '0')
  if redis.call('EXISTS', game) == 0 then
    redis.call('ZREM', due, game_id)
  elseif redis.call('EXISTS', leases .. game_id) == 1 or now - queued < LOST_WAKE_UP_MS then
    -- Looked at again soon; moved back so that those behind it get their turn.
    redis.call('ZADD', due, now + 500, game_id)
  else
    local owed_at = redis.call('HGET', game, 'owed_at')
    local resync = owed_at and tonumber(owed_at) <= now
    tell(game, queue, nudge, resync and 'resync_game' or 'apply_game', game_id, fresh, now)
    woken = woken + 1
  end
end
return woken
