-- append.lua judges the appends of a call and writes those that are accepted.
-- With wait the change is seen by nobody until commit.lua; until then other
-- calls are told which one has to be committed first.
-- ARGV: name, channel, nonce, writer, try, retry, tail number, tail mark, appends.

-- How many writers a stream remembers.
local MAX_WRITERS = 4

-- overtaken reports whether a later try of the same writer was made before.
local function overtaken(h, writer, try)
  local all = h.writers or {}
  for i = 1, #all, 2 do
    if all[i] == writer then return try < all[i + 1] end
  end
  return false
end

-- note remembers a writer's try, before those of the others.
local function note(h, writer, try)
  local all = {writer, try}
  local others = h.writers or {}
  for i = 1, #others, 2 do
    if others[i] ~= writer and #all < 2 * MAX_WRITERS then
      all[#all + 1] = others[i]
      all[#all + 1] = others[i + 1]
    end
  end
  h.writers = all
end

local function append(now, isTest, wait)
  local name, channel, nonce = take(), take(), take()
  local writer, try = take(), number()
  local retry, ts, tm = take() == '1', number(), take()

  local h = load(HEAD, now)
  if not h then return {'absent'} end
  if h.pending and h.pending ~= nonce then return {'pending', h.pending} end
  if h.nonce == nonce then
    local r = h.results
    return {'judged', r.ts, r.tm, r.list, closure(h.close), h.pending and 1 or 0}
  end
  if overtaken(h, writer, try) then return {'overtaken'} end

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
    note(h, writer, try)
    if wait then h.before, h.pending = before, nonce end
    apply(h, call, name)
    if not wait then redis.call('SPUBLISH', channel, hint(from, mark, h, call.adds)) end
  end
  return {'judged', from, mark, list, closure(h.close), h.pending and 1 or 0}
end
