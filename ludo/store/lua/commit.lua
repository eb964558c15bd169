-- Writes one decision: mirror, feed, inbox, counters, dead letters and the publication.
-- The lease token and the revision are checked first, so a worker that lost its lease writes
-- nothing. `mode`: hold (keep the lease, hand out more), release (unless more has arrived),
-- yield (release and queue again).
-- Answers {lost} | {released} | {more, now, entries, digests}.
local game, lease, inbox, seen = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local feed, due, counters, dead = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local queue, nudge, playing, finished = KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local flight, room_game = KEYS[13], KEYS[14]

local at = 0
local function take()
  at = at + 1
  return ARGV[at]
end
local function list(width)
  local n = tonumber(take())
  local from = at
  at = at + n * width
  return from, n
end

local game_id, token, nonce, rev, mode = take(), take(), take(), take(), take()
local lease_ms, last, limit = tonumber(take()), take(), tonumber(take())
local next_look, ttl, feed_ttl, feed_max = take(), tonumber(take()), tonumber(take()), take()
local dead_bound, channel, flight_token, index = tonumber(take()), take(), take(), take()
local drop_feed = take() == '1'
local now = now_ms()

if redis.call('GET', lease) ~= token then
  -- Sent again after it was released: the first one did it.
  if redis.call('HGET', game, 'nonce') == nonce and mode ~= 'hold' then return { 'released' } end
  return { 'lost' }
end

local repeated = redis.call('HGET', game, 'nonce') == nonce
if not repeated then
  if (redis.call('HGET', game, 'rev') or '0') ~= rev then return { 'lost' } end

  local from, n = list(2)
  for i = from + 1, from + 2 * n, 2 do
    if ARGV[i + 1] == '' then
      redis.call('HDEL', game, ARGV[i])
    else
      redis.call('HSET', game, ARGV[i], ARGV[i + 1])
    end
  end
  redis.call('HSET', game, 'v', '1', 'nonce', nonce, 'rev', tonumber(rev) + 1)

  from, n = list(1)
  for i = from + 1, from + n do redis.call('XDEL', inbox, ARGV[i]) end

  from, n = list(2)
  for i = from + 1, from + 2 * n, 2 do redis.call('HSET', seen, ARGV[i], ARGV[i + 1]) end

  from, n = list(2)
  for i = from + 1, from + 2 * n, 2 do count(counters, ARGV[i], tonumber(ARGV[i + 1])) end

  if drop_feed then redis.call('DEL', feed) end
  from, n = list(2)
  for i = from + 1, from + 2 * n, 2 do
    redis.call('XADD', feed, 'MAXLEN', '~', feed_max, ARGV[i] .. '-0', 'v', '1', 'f', ARGV[i + 1])
  end
  if n > 0 then redis.call('EXPIRE', feed, feed_ttl) end

  from, n = list(1)
  for i = from + 1, from + n do
    local letter = cjson.decode(ARGV[i])
    local fields = { 'v', '1', 'decided_at', now }
    for name, value in pairs(letter) do
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
    redis.call('XADD', dead, 'MAXLEN', '~', dead_bound, '*', unpack(fields))
  end

  from, n = list(1)
  for i = from + 1, from + n do redis.call('PUBLISH', channel, ARGV[i]) end

  if index == 'playing' then
    if not redis.call('ZSCORE', playing, game_id) then
      redis.call('ZADD', playing, now, game_id)
    end
  elseif index == 'over' then
    redis.call('ZREM', playing, game_id)
    redis.call('ZADD', finished, 'NX', now, game_id)
    redis.call('ZREMRANGEBYRANK', finished, 0, -1001)
  end
  if index ~= '' and room_game ~= '' then redis.call('SET', room_game, game_id, 'EX', ttl) end
  if flight_token ~= '' and redis.call('GET', flight) == flight_token then
    redis.call('DEL', flight)
  end
  redis.call('EXPIRE', game, ttl)
  redis.call('EXPIRE', seen, ttl)
  redis.call('EXPIRE', inbox, ttl)
end

if mode ~= 'yield' then
  local entries, digests = unread(inbox, seen, last, limit)
  if mode == 'hold' or #entries > 0 then
    redis.call('PEXPIRE', lease, lease_ms)
    return { 'more', now, entries, digests }
  end
end

redis.call('DEL', lease)
if mode == 'yield' then
  redis.call('ZADD', due, now, game_id)
  wake_once(game, lease, queue, nudge, 'apply_game', game_id, nonce, now)
elseif next_look == '' then
  redis.call('ZREM', due, game_id)
else
  local at_ms = tonumber(next_look)
  redis.call('ZADD', due, at_ms, game_id)
  -- What is due within the sweeper's reach gets its own job; the sweeper is the safety net.
  if at_ms <= now + 2000 then
    local fn = redis.call('HEXISTS', game, 'owed') == 1 and 'resync_game' or 'apply_game'
    wake(queue, nudge, fn, game_id, nonce, at_ms, now)
  end
end
return { 'released' }
