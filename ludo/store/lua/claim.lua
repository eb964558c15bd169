-- Takes the lease of a game and hands out what is needed to decide.
-- Answers {held}, {archived} or {ok, now, fields, entries, digests}.
local game, lease, inbox, seen = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local token, lease_ms, limit = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local holder = redis.call('GET', lease)
if holder and holder ~= token then return { 'held' } end
if redis.call('HEXISTS', game, 'tombstone') == 1 then return { 'archived' } end
redis.call('SET', lease, token, 'PX', lease_ms)
redis.call('HDEL', game, 'queued', 'renewed')
local fields = redis.call('HMGET', game, 'v', 'epoch', 'seq', 'rev', 'body', 'floor', 'divergences',
  'refused', 'missing_since', 'owed', 'owed_at', 'tries', 'as_of', 'stale', 'closed', 'skipped',
  'moved_at', 'unknown_since', 'room_closed', 'confirmed', 'archive_tries')
local entries, digests = unread(inbox, seen, '', limit)
return { 'ok', now_ms(), fields, entries, digests }
