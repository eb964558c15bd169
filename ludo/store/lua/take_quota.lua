-- Takes `cost` from every window of one caller, or from none of them. KEYS: one hash a window.
-- A window is two counters: requests since `s`, and in the window before, which counts for the
-- part of it that is still less than one window ago. `ludo/store/quota.py` has the same in Python.
-- Sent twice it counts twice, which can only make it stricter.
-- Answers {1|0, now, then s, c, p of each window}.
local cost = tonumber(ARGV[1])
local now = now_ms()
local windows, fits = {}, 1

for i, key in ipairs(KEYS) do
  local limit, length = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local kept = redis.call('HMGET', key, 's', 'c', 'p')
  local s, c, p = tonumber(kept[1] or '0'), tonumber(kept[2] or '0'), tonumber(kept[3] or '0')
  if now >= s + 2 * length then
    s, c, p = now, 0, 0
  elseif now >= s + length then
    s, c, p = s + length, 0, c
  end
  if c + p * (s + length - now) / length + cost > limit then fits = 0 end
  windows[i] = { s, c, p }
end

local answer = { fits, now }
for i, key in ipairs(KEYS) do
  local s, c, p = windows[i][1], windows[i][2] + cost * fits, windows[i][3]
  if fits == 1 then
    redis.call('HSET', key, 's', s, 'c', c, 'p', p)
    redis.call('PEXPIRE', key, 2 * tonumber(ARGV[2 * i + 1]))
  end
  answer[#answer + 1] = s
  answer[#answer + 1] = c
  answer[#answer + 1] = p
end
return answer
