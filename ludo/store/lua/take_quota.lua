-- Takes `cost` from every window of one caller, or from none of them, and with it up to `ahead`
-- more that the asker may spend without asking: no more than an eighth of what is left beyond
-- 200, so that the last requests are counted one by one. KEYS: one hash a window.
-- A window is two counters: requests since `s`, and in the window before, which counts for the
-- part of it that is still less than one window ago. `ludo/store/quota.py` has the same in Python.
-- Sent twice it counts twice, which can only make it stricter.
-- Answers {1|0, ahead, now, then s, c, p of each window}.
local cost, ahead = tonumber(ARGV[1]), tonumber(ARGV[2])
local now = now_ms()
local windows, fits = {}, 1

for i, key in ipairs(KEYS) do
  local limit, length = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
  local kept = redis.call('HMGET', key, 's', 'c', 'p')
  local s, c, p = tonumber(kept[1] or '0'), tonumber(kept[2] or '0'), tonumber(kept[3] or '0')
  if now >= s + 2 * length then
    s, c, p = now, 0, 0
  elseif now >= s + length then
    s, c, p = s + length, 0, c
  end
  local left = limit - c - p * (s + length - now) / length - cost
  if left < 0 then fits = 0 end
  ahead = math.max(0, math.min(ahead, math.floor((left - 200) / 8)))
  windows[i] = { s, c, p, s ~= tonumber(kept[1] or '0') }
end

ahead = ahead * fits
local answer = { fits, ahead, now }
for i, key in ipairs(KEYS) do
  local s, c, p = windows[i][1], windows[i][2] + cost * fits + ahead, windows[i][3]
  if fits == 1 then
    -- With the window go the names under which something was given back to it.
    if windows[i][4] then redis.call('DEL', key) end
    redis.call('HSET', key, 's', s, 'c', c, 'p', p)
    redis.call('PEXPIRE', key, 2 * tonumber(ARGV[2 * i + 2]))
  end
  answer[#answer + 1] = s
  answer[#answer + 1] = c
  answer[#answer + 1] = p
end
return answer
