-- renew.lua moves deadlines. ARGV: time, name, touch, lease, watched.
local now, isTest = clock()
local name, touch, lease, watched = take(), take() == '1', positive(), positive()
local h = load(HEAD, now)
if not h then return 0 end

local function renew(h)
  if touch then h.touched = now end
  if lease and not h.close then h.lease, h.term = now + lease, lease end
  if watched then h.watched = now + watched end
end

if h.before and h.before ~= '' then
  local v = cmsgpack.unpack(h.before)
  renew(v)
  h.before = cmsgpack.pack(v)
end
renew(h)
schedule(h, name)
save(h, isTest, false)
return 1
