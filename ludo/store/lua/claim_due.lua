-- Takes the leases of games that are due, the longest due first, until they hold enough events.
-- A game that owes a resync which nobody has begun is left to its job, which is queued if it is
-- not. Answers {now, more, owing, {game id, fields, entries, digests}…}: whether there is more to
-- take, and how many games wait for a job.
local due, queue, nudge = KEYS[1], KEYS[2], KEYS[3]
local token, lease_ms, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local most, enough, reach = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local games, leases, inboxes, seens, flights = ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11]
local now = now_ms()
local answer = { now, 0, 0 }
local events = 0

-- Looked at again soon; moved back so that those behind it get their turn.
local function put_off(game_id) redis.call('ZADD', due, now + 500, game_id) end

local function owes(game, flight)
  local owed_at = redis.call('HGET', game, 'owed_at')
  return owed_at and tonumber(owed_at) <= now and redis.call('EXISTS', flight) == 0
end

-- When a job was last queued that will ask upstream for this game.
local function told_at(game)
  local kept = redis.call('HMGET', game, 'queued', 'job', 'look')
  local look = tonumber(string.match(kept[3] or '', '^resync_game (%d+)') or '0')
  if string.sub(kept[2] or '', 1, 12) ~= 'resync_game:' then return look end
  return math.max(look, tonumber(kept[1] or '0'))
end

local found = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, reach)
for i, game_id in ipairs(found) do
  if #answer - 3 >= most or events >= enough then
    answer[2] = 1
    break
  end
  local game, lease = games .. game_id, leases .. game_id
  local holder = redis.call('GET', lease)
  if redis.call('EXISTS', game) == 0 then
    redis.call('ZREM', due, game_id)
  elseif (holder and holder ~= token) or redis.call('HEXISTS', game, 'tombstone') == 1 then
    put_off(game_id)
  elseif owes(game, flights .. game_id) then
    answer[3] = answer[3] + 1
    put_off(game_id)
    if now - told_at(game) >= LOST_WAKE_UP_MS then
      withdraw(queue, game)
      tell(game, queue, nudge, 'resync_game', game_id, token, now)
    end
  else
    local fields, entries, digests = take_game(game, lease, inboxes .. game_id, seens .. game_id,
      queue, token, lease_ms, limit)
    events = events + #entries
    answer[#answer + 1] = { game_id, fields, entries, digests }
  end
end
if #found == reach then answer[2] = 1 end

-- One nudge for what is left, so that an idle worker comes; none if nothing is: whoever was told
-- by the others would find nothing.
redis.call('DEL', nudge)
if answer[2] == 1 then
  redis.call('LPUSH', nudge, '1')
  redis.call('EXPIRE', nudge, 60)
end
return answer
