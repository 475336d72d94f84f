-- awaited.lua makes one call that is to be committed. ARGV: time, the call.
local now, isTest = clock()
return append(now, isTest, true)
