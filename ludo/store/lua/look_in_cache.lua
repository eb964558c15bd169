-- A kept answer, and who fetches the next one. KEYS: entry, flight, one generation a tag.
-- An entry counts only under the generations it was fetched under: a purge is one INCR a tag.
-- Answers {freshness, role, now, generations, entry, note}:
--   freshness  fresh | usable (soft lifetime over) | old (hard lifetime over) | none
--   role       none (fresh) | lead (fetch it) | follow (somebody does) | failed (note says why)
local entry, flight = KEYS[1], KEYS[2]
local token, lease = ARGV[1], tonumber(ARGV[2])
local now = now_ms()

local generations = {}
for i = 3, #KEYS do generations[#generations + 1] = redis.call('GET', KEYS[i]) or '0' end
local current = table.concat(generations, ' ')

local kept = redis.call('HMGET', entry, 'generations', 'soft', 'hard', 'body')
local freshness, body = 'none', ''
if kept[4] and kept[1] == current then
  body = kept[4]
  freshness = 'old'
  if now < tonumber(kept[3]) then freshness = 'usable' end
  if now < tonumber(kept[2]) then return { 'fresh', 'none', now, current, body, '' } end
end

if redis.call('SET', flight, token, 'NX', 'PX', lease) then
  return { freshness, 'lead', now, current, body, '' }
end
local held = redis.call('GET', flight)
if held == token then return { freshness, 'lead', now, current, body, '' } end
if string.sub(held, 1, 1) == '!' then
  return { freshness, 'failed', now, current, body, string.sub(held, 2) }
end
return { freshness, 'follow', now, current, body, '' }
