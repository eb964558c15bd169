-- Accepts a delivery without a sequence. `kind`: room (purges its cache tags, applied),
-- hint (the game owes a resync, filtered) or unknown (kept, filtered).
-- Answers accepted | duplicate | id-conflict | full.
local LAST_EVENTS_MS = 2000
local delivery, counters, dead, filtered = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local game, lease, due, queue, nudge = KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local kind, webhook_id, digest, nonce, source = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local body, key_id, game_id = ARGV[6], ARGV[7], ARGV[8]
local delivery_ttl, game_ttl, bound = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local headers, purged = ARGV[12], ARGV[13] -- the latter is a channel
local closed_room, games = ARGV[14], ARGV[15] -- the latter is what their keys begin with
local backlog_bound = tonumber(ARGV[16])
-- The tags follow, in the order of their keys.
local now = now_ms()
local mark = digest .. ':' .. nonce

-- A game that is still played in a room that is closed ends by its last events, which may be
-- under way; a while later upstream is asked.
local function close_room()
  local id = redis.call('GET', closed_room)
  if not id or redis.call('HGET', games .. id, 'status') ~= 'playing' then return end
  local their = games .. id
  redis.call('HSET', their, 'room_closed', now)
  if redis.call('HEXISTS', their, 'owed') == 0 then
    redis.call('HSET', their, 'owed', 'closed', 'owed_at', now + LAST_EVENTS_MS, 'tries', 0,
      'renewed', 1)
  end
  due_by(due, id, now + LAST_EVENTS_MS)
end

-- The delivery accepted under this id, and the last other one that came with it.
local before, other = string.match(redis.call('GET', delivery) or '', '^(%S*) ?(%S*)$')
if before == mark then return 'accepted' end -- this very call, sent again
if other == mark then return 'id-conflict' end
if string.sub(before, 1, #digest) == digest then
  count(counters, 'redelivered:' .. source, 1)
  return 'duplicate'
end
if before ~= '' then
  redis.call('SET', delivery, before .. ' ' .. mark, 'KEEPTTL')
  redis.call('XADD', dead, 'MAXLEN', '~', bound, '*', 'v', '1', 'game', game_id, 'sequence', '',
    'cause', 'id-conflict', 'webhook_id', webhook_id, 'source', source, 'key_id', key_id,
    'headers', headers, 'received_at', now, 'decided_at', now, 'body', body)
  count(counters, 'accepted:' .. source, 1)
  count(counters, 'outcome:dead:' .. source, 1)
  return 'id-conflict'
end

-- A hint adds no event, but a game that has to be looked at.
if backlog(counters) >= backlog_bound then return 'full' end
if kind == 'hint' and not redis.call('ZSCORE', due, game_id)
  and redis.call('ZCARD', due) >= backlog_bound then return 'full' end

local function remember()
  -- Last: if anything before fails, a retry is no duplicate of what was never stored.
  redis.call('SET', delivery, mark, 'EX', delivery_ttl)
  return 'accepted'
end

count(counters, 'accepted:' .. source, 1)
if kind == 'room' then
  count(counters, 'outcome:applied:' .. source, 1)
  for i = 10, #KEYS do
    redis.call('INCR', KEYS[i])
    redis.call('EXPIRE', KEYS[i], 86400)
    redis.call('PUBLISH', purged, ARGV[i + 7])
  end
  if closed_room ~= '' then close_room() end
  return remember()
end
count(counters, 'outcome:filtered:' .. source, 1)
redis.call('XADD', filtered, 'MAXLEN', '~', 1000, '*', 'v', '1', 'webhook_id', webhook_id,
  'received_at', now, 'body', body)
if kind == 'hint' and redis.call('HEXISTS', game, 'tombstone') == 0 then
  owe(game, 'hint', now)
  redis.call('HSETNX', game, 'v', '1')
  redis.call('EXPIRE', game, game_ttl)
  due_by(due, game_id, now)
  wake_once(game, lease, queue, nudge, 'resync_game', game_id, nonce, now)
end
return remember()
