-- commit.lua lets be seen what a call has changed, now that the replicas have
-- it. ARGV: time, name, channel, nonce.
local now, isTest = clock()
local name, channel, nonce = take(), take(), take()
local h = load(HEAD, now)
if not h or h.pending ~= nonce then return 0 end
if h.gone then
  drop(name)
else
  h.before, h.pending = nil, nil
  save(h, isTest, false)
end
redis.call('SPUBLISH', channel, '')
return 1
