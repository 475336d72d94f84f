-- delete.lua removes a stream. ARGV: time, name, channel.
local now = clock()
local name, channel = take(), take()
if not load(HEAD, now) then return 0 end
drop(name)
redis.call('SPUBLISH', channel, '')
return 1
