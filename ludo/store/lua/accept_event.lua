-- Accepts one sequenced event: dedup, inbox, due and wake-up, all or nothing.
-- Answers accepted | duplicate | id-conflict | overflow | full | stale.
local game, inbox, seen, lease = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local due, counters, dead, queue, nudge = KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local game_id, webhook_id, digest, nonce, source = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local sequence, event_digest, body, key_id = ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local inbox_bound, backlog_bound = tonumber(ARGV[10]), tonumber(ARGV[11])
local ttl, dead_bound = tonumber(ARGV[12]), tonumber(ARGV[13])
local headers = ARGV[14]
local now = now_ms()
local mark = digest .. ':' .. nonce

local function bury(cause)
  -- A redriven event that dies again is the same dead letter, not a further one.
  if source ~= 'redrive' then
    redis.call('XADD', dead, 'MAXLEN', '~', dead_bound, '*', 'v', '1', 'game', game_id,
      'sequence', sequence, 'cause', cause, 'webhook_id', webhook_id, 'source', source,
      'key_id', key_id, 'headers', headers, 'received_at', now, 'decided_at', now, 'body', body)
  end
  count(counters, 'accepted:' .. source, 1)
  count(counters, 'outcome:dead:' .. source, 1)
end

-- Whether a tombstone misses the sequence, which it does only once.
local function comes_late()
  local ranges, found = {}, false
  local kept = redis.call('HGET', game, 'missing') or ''
  for first, last in string.gmatch(kept, '(%d+)-(%d+)') do
    local from, to, this = tonumber(first), tonumber(last), tonumber(sequence)
    if from <= this and this <= to then
      found = true
      if from < this then ranges[#ranges + 1] = range(from, this - 1) end
      if this < to then ranges[#ranges + 1] = range(this + 1, to) end
    else
      ranges[#ranges + 1] = range(from, to)
    end
  end
  if found then redis.call('HSET', game, 'missing', table.concat(ranges, ' ')) end
  return found
end

-- The archive has this game: whatever comes, comes too late.
if redis.call('HEXISTS', game, 'tombstone') == 1 then
  if redis.call('HGET', game, 'last') == mark then return 'stale' end -- sent again
  redis.call('HSET', game, 'last', mark)
  count(counters, 'accepted:' .. source, 1)
  count(counters, 'outcome:stale:' .. source, 1)
  if comes_late() then count(counters, 'late', 1) end
  return 'stale'
end

local before = redis.call('HGET', seen, 'i:' .. webhook_id)
if before == mark then return 'accepted' end -- this very call, sent again
if before and string.sub(before, 1, #digest) == digest then
  count(counters, 'redelivered:' .. source, 1)
  return 'duplicate'
end
if before then
  if redis.call('HGET', seen, 'c:' .. webhook_id) == mark then return 'id-conflict' end
  redis.call('HSET', seen, 'c:' .. webhook_id, mark)
  bury('id-conflict')
  return 'id-conflict'
end

if backlog(counters) >= backlog_bound then return 'full' end
local waiting = redis.call('XLEN', inbox)

local verdict = 'accepted'
local fn = 'apply_game'
if waiting >= inbox_bound then
  verdict = 'overflow'
  bury('overflow')
  owe(game, 'overflow', now)
  fn = 'resync_game'
else
  redis.call('XADD', inbox, '*', 'v', '1', 's', sequence, 'd', event_digest, 'i', webhook_id,
    'src', source, 'k', key_id, 'h', headers, 'b', body)
  count(counters, 'accepted:' .. source, 1)
  count(counters, 'pending:' .. source, 1)
end
due_by(due, game_id, now)
wake_once(game, lease, queue, nudge, fn, game_id, nonce, now)
redis.call('HSETNX', game, 'v', '1')
-- Last: if anything above fails, a retry is no duplicate of what was never stored.
redis.call('HSET', seen, 'i:' .. webhook_id, mark)
redis.call('EXPIRE', game, ttl)
redis.call('EXPIRE', seen, ttl)
redis.call('EXPIRE', inbox, ttl)
return verdict
