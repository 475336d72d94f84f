-- due.lua returns the streams of partitions with which Sweep has work.
-- KEYS: their deadlines. ARGV: time, how many.
local now = text(clock())
local most, names = number(), {}
for _, key in ipairs(KEYS) do
  if #names >= most then break end
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, most - #names)) do
    names[#names + 1] = name
  end
end
return names
