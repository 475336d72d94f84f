-- delete.lua removes a stream. ARGV: time, name, channel, nonce, wait. With wait
-- it stays as it is until commit.lua.
local now, isTest = clock()
local name, channel, nonce, wait = take(), take(), take(), take() == '1'
local h = load(HEAD, now)
if not h then return {'absent'} end
if h.pending and h.pending ~= nonce then return {'pending', h.pending} end
if wait then
  if not h.pending then h.before, h.pending, h.gone = cmsgpack.pack(h), nonce, true end
  save(h, isTest, false)
  return {'deleted', 1}
end
drop(name)
redis.call('SPUBLISH', channel, '')
return {'deleted', 0}
