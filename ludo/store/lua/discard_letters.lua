-- Drops dead letters, and records each with whoever did it. Answers the ids that there were;
-- sent again, it answers the same.
local dead, redriven, discarded, counters = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local nonce, by, bound, ttl = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local now = now_ms()
local gone = {}
for i = 5, #ARGV do
  local letter = ARGV[i]
  local found = redis.call('XRANGE', dead, letter, letter)[1]
  if found then
    local record = { 'v', '1', 'letter', letter, 'by', by, 'at', now }
    for f = 1, #found[2], 2 do
      if found[2][f] ~= 'body' and found[2][f] ~= 'v' then
        record[#record + 1] = found[2][f]
        record[#record + 1] = found[2][f + 1]
      end
    end
    redis.call('XADD', discarded, 'MAXLEN', '~', bound, '*', unpack(record))
    redis.call('XDEL', dead, letter)
    redis.call('HSET', redriven, letter, string.format('0 %.0f %s discarded ', now, nonce))
    redis.call('EXPIRE', redriven, ttl)
    count(counters, 'discarded', 1)
    gone[#gone + 1] = letter
  elseif string.find(redis.call('HGET', redriven, letter) or '', ' ' .. nonce .. ' discarded', 1, true) then
    gone[#gone + 1] = letter
  end
end
return gone
