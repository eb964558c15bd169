-- The archive has this game: a tombstone takes its place, if nothing has happened to it since.
-- Answers 1, or 0 if the game has moved on and has to be archived again.
local game, lease, inbox, seen, feed, log = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local flight, written, due, playing, finished = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11]
local counters = KEYS[12]
local game_id, rev, status, ttl = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local place = redis.call('HMGET', game, 'epoch', 'seq', 'rev', 'tombstone')
if place[4] then return 1 end -- sent again, or another worker was first
if place[3] ~= rev or redis.call('EXISTS', lease) == 1 or redis.call('XLEN', inbox) > 0 then
  return 0
end
-- Something may have come in without an event: a hint, or the end of the room.
if redis.call('HEXISTS', game, 'renewed') == 1 then return 0 end

-- The sequences up to the last one of which no event was applied or came late, as ranges. It walks
-- along what is known, because a last sequence is whatever upstream says it is.
local function missing(last)
  local known = {}
  for _, name in ipairs(redis.call('HKEYS', seen)) do
    local sequence = tonumber(string.match(name, '^[sl]:(%d+)$') or '')
    if sequence and sequence <= last then known[#known + 1] = sequence end
  end
  table.sort(known)
  known[#known + 1] = last + 1
  local ranges, from = {}, 1
  for _, sequence in ipairs(known) do
    if sequence > from then ranges[#ranges + 1] = range(from, sequence - 1) end
    from = sequence + 1
  end
  return table.concat(ranges, ' ')
end
local gone = missing(tonumber(place[2]))

redis.call('DEL', game, inbox, seen, feed, log, flight, written)
redis.call('ZREM', due, game_id)
redis.call('ZREM', playing, game_id)
redis.call('ZREM', finished, game_id)
redis.call('HSET', game, 'v', '1', 'epoch', place[1], 'seq', place[2], 'tombstone', now_ms(),
  'missing', gone)
redis.call('EXPIRE', game, ttl)
count(counters, 'archived:' .. status, 1)
return 1
