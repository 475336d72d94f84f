-- append.lua judges the appends of a call and writes those that are accepted.
-- With wait the change is seen by nobody until commit.lua; until then other
-- calls are told which one has to be committed first.
-- ARGV: name, channel, nonce, retry, tail number, tail mark, appends.
local function append(now, isTest, wait)
  local name, channel, nonce = take(), take(), take()
  local retry, ts, tm = take() == '1', number(), take()

  local h = load(HEAD, now)
  if not h then return {'absent'} end
  if h.pending and h.pending ~= nonce then return {'pending', h.pending} end
  if h.nonce == nonce then
    local r = h.results
    return {'judged', r.ts, r.tm, r.list, closure(h.close), h.pending and 1 or 0}
  end

  local before = wait and cmsgpack.pack(h)
  local from, mark = h.ts, h.tm
  local call = newCall(h, now, isTest, nonce)
  call.uncertain = retry and (ts ~= h.ts or tm ~= h.tm)
  local list = {}
  for i = 1, number() do
    list[i] = encode(h, judge(h, call, takeAppend(), i - 1))
  end
  if call.changed then
    h.nonce, h.results = nonce, {ts = from, tm = mark, list = list}
    if wait then h.before, h.pending = before, nonce end
    apply(h, call, name)
    if not wait then redis.call('SPUBLISH', channel, hint(from, mark, h, call.adds)) end
  end
  return {'judged', from, mark, list, closure(h.close), h.pending and 1 or 0}
end
