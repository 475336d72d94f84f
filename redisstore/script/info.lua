-- info.lua returns what is known of a stream. KEYS: head. ARGV: time.
local now = clock()
local h = sight((load(HEAD, now)))
if not h then return {'absent'} end
return {'facts', facts(h)}
