-- Writes one decision: mirror, feed, inbox, counters, dead letters and the publication.
-- The lease token and the revision are checked first, so a worker that lost its lease writes
-- nothing. `mode`: hold (keep the lease, hand out more), release (unless more has arrived),
-- yield (release and queue again).
-- Answers {lost} | {released} | {more, now, entries, digests}.
local game, lease, inbox, seen = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local feed, due, counters, dead = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local queue, nudge, playing, finished = KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local flight, room_game, redriven, log = KEYS[13], KEYS[14], KEYS[15], KEYS[16]

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

-- One command for many arguments, in parts that fit Lua's stack.
local function with_many(command, key, from, n)
  for i = from + 1, from + n, 1000 do
    redis.call(command, key, unpack(ARGV, i, math.min(i + 999, from + n)))
  end
end

local game_id, token, nonce, rev, mode = take(), take(), take(), take(), take()
local lease_ms, last, limit = tonumber(take()), take(), tonumber(take())
local next_look, ttl, feed_ttl, feed_max = take(), tonumber(take()), tonumber(take()), take()
local dead_bound, channel, flight_token, index = tonumber(take()), take(), take(), take()
local drop_feed, log_max = take() == '1', take()
local now = now_ms()
-- A debt made or renewed since the claim is none that this decision settles.
local renewed = redis.call('HEXISTS', game, 'renewed') == 1
local debt = { owed = true, owed_at = true, tries = true }

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
    local name, value = ARGV[i], ARGV[i + 1]
    if not (renewed and debt[name]) then
      if value == '' then redis.call('HDEL', game, name) else redis.call('HSET', game, name, value) end
    end
  end
  redis.call('HSET', game, 'v', '1', 'nonce', nonce, 'rev', tonumber(rev) + 1)

  from, n = list(1)
  with_many('XDEL', inbox, from, n)

  from, n = list(2)
  with_many('HSET', seen, from, 2 * n)

  -- Events that a resync had gone past and that came after all: each sequence counts once.
  from, n = list(2)
  for i = from + 1, from + 2 * n, 2 do
    if redis.call('HEXISTS', seen, 's:' .. ARGV[i]) == 0
      and redis.call('HSETNX', seen, 'l:' .. ARGV[i], ARGV[i + 1]) == 1 then
      count(counters, 'late', 1)
    end
  end

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

  from, n = list(4)
  for i = from + 1, from + 4 * n, 4 do
    settle_redrive(redriven, ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
  end

  from, n = list(4)
  for i = from + 1, from + 4 * n, 4 do
    redis.call('XADD', log, 'MAXLEN', '~', log_max, '*', 'v', '1', 'k', ARGV[i], 's', ARGV[i + 1],
      'w', ARGV[i + 2], 'b', ARGV[i + 3])
  end
  redis.call('EXPIRE', log, ttl)

  if index == 'playing' then
    if not redis.call('ZSCORE', playing, game_id) then
      redis.call('ZADD', playing, now, game_id)
      redis.call('ZREM', finished, game_id)
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
  return { 'released' }
end

local at_ms = tonumber(next_look)
local owed_at = tonumber(redis.call('HGET', game, 'owed_at'))
if renewed and owed_at and not (at_ms and at_ms < owed_at) then at_ms = owed_at end
if not at_ms then
  redis.call('ZREM', due, game_id)
  -- Anybody may ask for ids that nobody knows.
  if index == '' then redis.call('EXPIRE', game, UNKNOWN_GAME_S) end
  return { 'released' }
end
-- While upstream is being asked, the commit of its answer says what is next.
local flight_ms = owed_at and redis.call('PTTL', flight) or -2
if flight_ms > 0 then at_ms = math.max(at_ms, now + flight_ms) end
redis.call('ZADD', due, at_ms, game_id)
-- What is due within the sweeper's reach gets its own job, one for each time; the sweeper is the
-- safety net.
local fn = owed_at and 'resync_game' or 'apply_game'
local look = fn .. ' ' .. at_ms
if at_ms <= now + 2000 and redis.call('HGET', game, 'look') ~= look then
  redis.call('HSET', game, 'look', look)
  wake(queue, nudge, fn, game_id, nonce, at_ms, now)
end
return { 'released' }
