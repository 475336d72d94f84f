-- The head of a stream: all that is kept of it beside its records and its
-- producers, in one value. Times are milliseconds since 1970 and absent when
-- there is none, durations milliseconds.
--
--   spec, media, ctype   the spec as the caller wrote it, its media type and content type
--   ttl, expires, open, closed, rrecords, rbytes, rage   the numbers of the spec
--   created, appended, touched, lease, term, watched, meta
--   os, om, oa           the oldest position: number, mark, and when the append after it landed
--   ts, tm, bytes        the tail, and the size of the retained records
--   close                {reason, detail, at, id, epoch, seq}
--   sseq                 the last Stream-Seq
--   writers              the last try of each store that has altered the stream lately, with its name before it
--   creator, nonce, results   the call that created it, and the last one that changed it
--   listed               under which time it stands among the deadlines, never after the true one
--   net                  when Redis itself lets go of it
--   stored, known        whether it has the keys of records and of producers
--   gone                 that it is deleted as soon as that is committed
--   before, pending      the head that may be seen, or '', while the call with that nonce waits for replicas

-- KEYS of every script that alters a stream.
local HEAD, RECORDS, PRODUCERS, NAMES, DEADLINES = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

-- Redis' own expiry is a safety net, this long after ours.
local LATE = 86400000

local ARG = 0
local function take()
  ARG = ARG + 1
  return ARGV[ARG]
end

local function number() return tonumber(take()) end

-- positive is a number of which 0 means none.
local function positive()
  local n = number()
  if n > 0 then return n end
end

-- present is a number of which the empty string means none.
local function present() return tonumber(take()) end

-- The time: that of the argument, for tests, or Redis' own.
local function clock()
  local given = take()
  if given ~= '' then return tonumber(given), true end
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000), false
end

local function text(n) return string.format('%.0f', n) end

local function expiry(h)
  if h.expires then return h.expires end
  if h.ttl then return h.touched + h.ttl end
  if h.close then
    if h.closed then return h.close.at + h.closed end
  elseif h.open then
    return h.appended + h.open
  end
end

local function earlier(a, b)
  if a and b then return math.min(a, b) end
  return a or b
end

-- ages is when the oldest records are too old.
local function ages(h)
  if h.rage and h.oa then return h.oa + h.rage end
end

local function deadline(h)
  local at = expiry(h)
  if not h.close then at = earlier(at, h.lease) end
  return earlier(at, ages(h))
end

-- load returns the head of a stream that exists at the time now, and otherwise
-- whether there is one of a stream that has expired.
local function load(key, now)
  local packed = redis.call('GET', key)
  if not packed then return nil, false end
  local h = cmsgpack.unpack(packed)
  local at = expiry(h)
  if at and now >= at then return nil, true end
  return h, true
end

-- sight is what readers may see of a stream, nil if nothing.
local function sight(h)
  if not h or not h.before then return h end
  if h.before == '' then return nil end
  local v = cmsgpack.unpack(h.before)
  -- What was given up is gone at once.
  if h.os <= v.ts then
    v.os, v.om, v.oa = h.os, h.om, h.oa
  else
    v.os, v.om, v.oa = v.ts, v.tm, nil
  end
  return v
end

local function closure(c)
  if not c then return false end
  return {c.reason, c.detail, c.at, c.id or false, c.epoch or 0, c.seq or 0}
end

-- facts is the head as it is answered.
local function facts(h)
  return {h.spec, h.ctype, h.created, h.os, h.om, h.oa or false, h.ts, h.tm, h.bytes, h.appended, h.touched,
    closure(h.close), h.lease or false, h.term or 0, h.watched or false, h.meta or false}
end
