-- Says which players of a game one node has here, and answers who is here over all nodes.
-- KEYS: the game's presence. ARGV: node, lease ms, how long it is kept s, channel, players…
-- The hash has `n <node> <player>` → until when that counts, and `s <player>` → `<0|1> <since>`.
-- Answers {changed, player, 0|1, since, …}; a change is published with the whole answer.
local presence = KEYS[1]
local node, lease_ms, ttl, channel = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local now = now_ms()
local mine, here, seats = {}, {}, {}
for i = 5, #ARGV do mine[ARGV[i]] = true end

local flat = redis.call('HGETALL', presence)
for i = 1, #flat, 2 do
  local kind, rest = string.sub(flat[i], 1, 2), string.sub(flat[i], 3)
  if kind == 's ' then
    seats[rest] = flat[i + 1]
  else
    local at = string.find(rest, ' ', 1, true)
    local who, player = string.sub(rest, 1, at - 1), string.sub(rest, at + 1)
    if who == node then
      if not mine[player] then redis.call('HDEL', presence, flat[i]) end
    elseif tonumber(flat[i + 1]) <= now then
      redis.call('HDEL', presence, flat[i])
    else
      here[player] = true
    end
  end
end
for player in pairs(mine) do
  here[player] = true
  redis.call('HSET', presence, 'n ' .. node .. ' ' .. player, now + lease_ms)
  if not seats[player] then seats[player] = '0 0' end
end

local changed, answer, told = 0, {}, {}
for player, seat in pairs(seats) do
  local was, since = string.match(seat, '^(%d) (%d+)$')
  local is = here[player] and '1' or '0'
  if was ~= is then
    changed, since = 1, string.format('%.0f', now)
    redis.call('HSET', presence, 's ' .. player, is .. ' ' .. since)
  end
  answer[#answer + 1], answer[#answer + 2], answer[#answer + 3] = player, is, since
  told[player] = { online = is == '1', since = tonumber(since) }
end
if #answer > 0 then redis.call('EXPIRE', presence, ttl) end
if changed == 1 then redis.call('PUBLISH', channel, '1 p ' .. cjson.encode(told)) end
return { changed, unpack(answer) }
