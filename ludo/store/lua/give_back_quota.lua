-- Gives back what was taken from a caller's windows and not used, as far as it still counts there.
-- KEYS: one hash a window. ARGV: the name of what is given back, under which each window takes it
-- once, how much, then the start of each window when it was taken.
local name, number = 'g:' .. ARGV[1], tonumber(ARGV[2])
for i, key in ipairs(KEYS) do
  local kept = redis.call('HMGET', key, 's', 'c', name)
  if kept[1] and tonumber(kept[1]) == tonumber(ARGV[i + 2]) and not kept[3] then
    redis.call('HSET', key, 'c', math.max(0, tonumber(kept[2]) - number), name, 1)
  end
end
return #KEYS
