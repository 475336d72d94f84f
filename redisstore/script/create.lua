-- create.lua creates a stream with its first append, unless it exists.
-- ARGV: time, name, channel, nonce, wait, mark, spec, content type, media type, the
-- numbers of the spec, meta, how many appends, the append.
local now, isTest = clock()
local name, channel, nonce = take(), take(), take()
local wait, mark = take() == '1', take()

local h, some = load(HEAD, now)
if h then
  if h.pending and h.pending ~= nonce then return {'pending', h.pending} end
  return {'exists', h.creator == nonce and 1 or 0, facts(h), h.pending and 1 or 0}
end

h = {
  creator = nonce, spec = take(), ctype = take(), media = take(),
  ttl = positive(), expires = present(), open = positive(), closed = positive(),
  rrecords = positive(), rbytes = positive(), rage = positive(),
  created = now, appended = now, touched = now,
  os = 0, om = mark, ts = 0, tm = mark, bytes = 0,
}
if number() == 1 then h.meta = take() end
local call = newCall(h, now, isTest, nonce)
local list = {}
for i = 1, number() do
  local r = judge(h, call, takeAppend(), i - 1)
  list[i] = encode(h, r)
  if r.code then return {'refused', list[i]} end
end
h.nonce, h.results = nonce, {ts = 0, tm = mark, list = list}
if wait then h.before, h.pending = '', nonce end
if some then drop(name) end
redis.call('ZADD', NAMES, 0, name)
apply(h, call, name)
if not wait then redis.call('SPUBLISH', channel, '') end
return {'exists', 1, facts(h), wait and 1 or 0}
