-- Shared by every script; Redis' clock is the only clock.

local LOST_WAKE_UP_MS = 3000
local UNKNOWN_GAME_S = 60

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Writes arq's own two keys under a fresh id: there is no moment at which the game is due and
-- nobody was told (a constant job id would strand the game, see docs/decisions/0006).
local function wake(queue, nudge, fn, game_id, fresh, at, now)
  local id = fn .. ':' .. game_id .. ':' .. fresh
  local job = cjson.encode({ t = 1, f = fn, a = { 1, game_id }, k = {}, et = now })
  job = string.gsub(job, '"k":%[%]', '"k":{}')
  redis.call('PSETEX', 'arq:job:' .. id, 86400000, job)
  redis.call('ZADD', queue, at, id)
  if at <= now then
    redis.call('LPUSH', nudge, '1')
    redis.call('LTRIM', nudge, 0, 63)
    redis.call('EXPIRE', nudge, 60)
  end
end

-- Tells a worker now, and notes when and by which job.
local function tell(game, queue, nudge, fn, game_id, fresh, now)
  redis.call('HSET', game, 'queued', now, 'job', fn .. ':' .. game_id .. ':' .. fresh)
  wake(queue, nudge, fn, game_id, fresh, now, now)
end

-- The same, unless a worker has the game in hand or was told a moment ago.
local function wake_once(game, lease, queue, nudge, fn, game_id, fresh, now)
  if redis.call('EXISTS', lease) == 1 then return end
  local queued = tonumber(redis.call('HGET', game, 'queued') or '0')
  if now - queued < LOST_WAKE_UP_MS then return end
  tell(game, queue, nudge, fn, game_id, fresh, now)
end

-- Takes back the wake-up of a game that its caller holds: to arq, a job that finds nothing to do
-- costs what any other costs. One that arq has begun stays. Between its last look at a job and its
-- start arq WATCHes the mark of those that have begun; touching the mark makes it pass on, where it
-- would find a job without arguments.
local function withdraw(queue, game)
  local id = redis.call('HGET', game, 'job')
  if not id or string.sub(id, 1, 11) ~= 'apply_game:' then return end
  local begun = 'arq:in-progress:' .. id
  if redis.call('EXISTS', begun) == 1 then return end
  redis.call('SET', begun, '0', 'PX', 1000)
  redis.call('DEL', begun, 'arq:job:' .. id)
  redis.call('ZREM', queue, id)
end

local function due_by(due, game_id, at)
  local score = redis.call('ZSCORE', due, game_id)
  if not score or tonumber(score) > at then redis.call('ZADD', due, at, game_id) end
end

-- Notes that upstream has to be asked. A debt that is due may be with upstream already, whose
-- answer may be from before this, so it is made newer; one that backs off keeps its time. Events
-- cancel a gap and a silence, but not this, so its reason takes their place.
-- `renewed` tells the holder of the lease, whose decision does not know of this yet.
local function owe(game, reason, now)
  local owed = redis.call('HMGET', game, 'owed', 'owed_at')
  if not owed[1] then
    redis.call('HSET', game, 'owed', reason, 'owed_at', now, 'tries', 0, 'renewed', 1)
    return
  end
  if owed[1] == 'gap' or owed[1] == 'silence' then redis.call('HSET', game, 'owed', reason) end
  if tonumber(owed[2]) <= now then redis.call('HSET', game, 'owed_at', now) end
  redis.call('HSET', game, 'renewed', 1)
end

-- Sequences from one to another, as a tombstone keeps them; tostring would round large ones.
local function range(from, to)
  return string.format('%.0f-%.0f', from, to)
end

local function count(counters, name, delta)
  redis.call('HINCRBY', counters, name, delta)
end

-- Undecided events of every source together: the bound is on what waits, whoever sent it.
local function backlog(counters)
  local waiting = 0
  local sources = { 'pending:webhook', 'pending:socket', 'pending:redrive' }
  for _, pending in ipairs(redis.call('HMGET', counters, unpack(sources))) do
    waiting = waiting + tonumber(pending or '0')
  end
  return waiting
end

-- Notes what became of a redriven dead letter, unless it was redriven again meanwhile.
local function settle_redrive(redriven, letter, nonce, outcome, cause)
  local kept = redis.call('HGET', redriven, letter)
  if not kept then return end
  local tries, at, latest = string.match(kept, '^(%d+) (%d+) (%S+)')
  if latest == nonce then
    redis.call('HSET', redriven, letter,
      tries .. ' ' .. at .. ' ' .. nonce .. ' ' .. outcome .. ' ' .. cause)
  end
end

-- Entries of the inbox after `last`, each with the digest applied under its sequence.
local function unread(inbox, seen, last, limit)
  local start = last == '' and '-' or '(' .. last
  local entries = redis.call('XRANGE', inbox, start, '+', 'COUNT', limit)
  local names = {}
  for i, entry in ipairs(entries) do
    names[i] = 's:'
    for f = 1, #entry[2], 2 do
      if entry[2][f] == 's' then names[i] = 's:' .. entry[2][f + 1] break end
    end
  end
  if #entries == 0 then return entries, {} end
  local digests = redis.call('HMGET', seen, unpack(names))
  for i, digest in ipairs(digests) do digests[i] = digest or '' end
  return entries, digests
end

-- Takes the lease of a game for `token` and hands out what is needed to decide: fields, entries,
-- digests. The caller has seen that nobody else has the lease.
local function take_game(game, lease, inbox, seen, queue, token, lease_ms, limit)
  redis.call('SET', lease, token, 'PX', lease_ms)
  withdraw(queue, game)
  redis.call('HDEL', game, 'queued', 'job', 'renewed')
  local fields = redis.call('HMGET', game, 'v', 'epoch', 'seq', 'rev', 'body', 'floor',
    'divergences', 'refused', 'missing_since', 'owed', 'owed_at', 'tries', 'as_of', 'stale',
    'closed', 'skipped', 'moved_at', 'unknown_since', 'room_closed', 'confirmed', 'archive_tries')
  return fields, unread(inbox, seen, '', limit)
end

-- Upstream's budget: which log this is, how many permits it ever gave, and when it may be used.
-- Redis may have lost calls that upstream still counts: all of them (the log has another name
-- than the one that an asker saw) or the last ones (it gave fewer permits than the asker saw).
-- Then nothing goes out until those calls have left the window. After each start of Redis the log
-- rests for a moment, in which anyone who remembers more can say so.
-- `asker`: known, seen (its last sight of the log, '' and 0 if none), fresh, window, settle, ttl.
local function permit_log(state, asker, now)
  local kept = redis.call('HMGET', state, 'log', 'run', 'since', 'count', 'closed', 'limit')
  local info = redis.pcall('INFO', 'server')
  local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or 'unknown'
  local name, since = kept[1] or asker.fresh, tonumber(kept[3] or now)
  local count, closed = tonumber(kept[4] or '0'), tonumber(kept[5] or '0')
  if kept[2] ~= run then
    since = now
    closed = math.max(closed, now + asker.settle)
  end
  if asker.known ~= '' and (asker.known ~= name or asker.seen > count) then
    closed = math.max(closed, since + asker.window)
  end
  redis.call('HSET', state, 'log', name, 'run', run, 'since', since, 'count', count,
    'closed', closed)
  redis.call('PEXPIRE', state, asker.ttl)
  return { name = name, count = count, closed = closed, limit = tonumber(kept[6] or '0') }
end

-- The secondary key of a cached answer that a request's fields select: '' for one that does not vary.
-- `names` are what it varies on; ARGV[at] counts the fields that follow as name, value.
local function secondary_of(names, at)
  if names == '' then return '' end
  local given = {}
  for i = at + 1, at + 2 * tonumber(ARGV[at]), 2 do given[ARGV[i]] = ARGV[i + 1] end
  local selected = names
  for name in string.gmatch(names, '%S+') do
    local value = given[name]
    selected = selected .. '\n' .. (value and '=' .. value or '-')
  end
  return '#' .. redis.sha1hex(selected)
end
