-- Makes our flight last longer, or leaves a note in its place. An empty note only prolongs it;
-- '-' says that the answer was not for others.
-- Answers 1 | 0 (it is not ours any more).
local token, ms, note = ARGV[1], tonumber(ARGV[2]), ARGV[3]
if redis.call('GET', KEYS[1]) ~= token then return 0 end
if note == '' then return redis.call('PEXPIRE', KEYS[1], ms) end
redis.call('SET', KEYS[1], note == '-' and note or '!' .. note, 'PX', ms)
return 1
