-- sweep.lua does what has come due with a stream, and returns whether there was
-- anything, and the nonce of a call that has to be committed first or next.
-- ARGV: time, name, channel, nonce, wait.
local now, isTest = clock()
local name, channel, nonce, wait = take(), take(), take(), take() == '1'

local h, some = load(HEAD, now)
if not h then
  drop(name)
  if not some then return {0} end
  redis.call('SPUBLISH', channel, '')
  return {1}
end
if h.pending then return {0, h.pending} end

local did = 0
if not h.close and h.lease and now >= h.lease then
  if wait then h.before, h.pending = cmsgpack.pack(h), nonce end
  local call = newCall(h, now, isTest, nonce)
  local list = {encode(h, judge(h, call, {records = 0, blocks = {}, reason = 'interrupted', detail = ''}, 0))}
  h.nonce, h.results = nonce, {ts = h.ts, tm = h.tm, list = list}
  did = 1
elseif ages(h) and now >= ages(h) then
  trimAged(h, now)
  did = 1
end
relist(h, name)
save(h, isTest, false)
if h.pending then return {did, nonce} end
if did == 1 then redis.call('SPUBLISH', channel, '') end
return {did}
