-- A kept answer, and who fetches the next one. KEYS: entry, flight, vary, entries, one generation
-- a tag. ARGV: token, lease, then how many fields the request has and each name and value.
-- An entry counts only under the generations it was fetched under: a purge is one INCR a tag.
-- Answers {freshness, role, now, generations, entry, note, left, secondary}:
--   freshness  fresh | usable (soft lifetime over) | old (hard one over, good if upstream fails) |
--              spent (good for asking whether it still holds) | none
--   role       none (fresh) | lead (fetch it) | follow (somebody does) | failed (note says why) |
--              alone (the last answer was not for others)
local token, lease = ARGV[1], tonumber(ARGV[2])
local now = now_ms()

local generations = {}
for i = 5, #KEYS do generations[#generations + 1] = redis.call('GET', KEYS[i]) or '0' end
local current = table.concat(generations, ' ')

local secondary = secondary_of(redis.call('GET', KEYS[3]) or '', 3)
local entry, flight = KEYS[1] .. secondary, KEYS[2] .. secondary
local kept = redis.call('HMGET', entry, 'generations', 'soft', 'hard', 'body', 'on_error')
local freshness, body = 'none', ''
if kept[4] and kept[1] == current then
  body = kept[4]
  freshness = 'spent'
  if now < tonumber(kept[5]) then freshness = 'old' end
  if now < tonumber(kept[3]) then freshness = 'usable' end
  local left = tonumber(kept[2]) - now
  if left > 0 then return { 'fresh', 'none', now, current, body, '', left, secondary } end
end

if redis.call('SET', flight, token, 'NX', 'PX', lease) then
  return { freshness, 'lead', now, current, body, '', 0, secondary }
end
local held = redis.call('GET', flight)
if held == token then return { freshness, 'lead', now, current, body, '', 0, secondary } end
if held == '-' then return { freshness, 'alone', now, current, body, '', 0, secondary } end
if string.sub(held, 1, 1) == '!' then
  return { freshness, 'failed', now, current, body, string.sub(held, 2), 0, secondary }
end
return { freshness, 'follow', now, current, body, '', 0, secondary }
