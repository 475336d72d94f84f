-- due.lua returns the streams of a partition with which Sweep has work.
-- KEYS: deadlines. ARGV: time, how many.
local now = clock()
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now), 'LIMIT', 0, take())
