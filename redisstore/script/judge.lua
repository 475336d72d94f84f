-- The rules of State.Judge, for one call. A call is {now, nonce, uncertain,
-- adds, producers, forgotten}; an append is as below. Only what is accepted
-- alters the head and the call.

local MAX_PRODUCERS = 1024
local IDLE = 3600000

local BITS = {media = 1, producer = 2, counts = 4, sseq = 8, expect = 16, close = 32, lease = 64, meta = 128}

-- isAfter compares byte by byte, whatever the locale.
local function isAfter(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x > y end
  end
  return #a > #b
end

local function has(flags, bit) return math.floor(flags / bit) % 2 == 1 end

-- takeAppend reads an append from the arguments.
local function takeAppend()
  local flags = number()
  local a = {records = 0}
  if has(flags, BITS.media) then a.media = take() end
  if has(flags, BITS.producer) then a.id, a.epoch, a.seq = take(), number(), number() end
  a.counts = has(flags, BITS.counts)
  if has(flags, BITS.sseq) then a.sseq = take() end
  if has(flags, BITS.expect) then a.es, a.em = number(), take() end
  if has(flags, BITS.close) then a.reason, a.detail = take(), take() end
  if has(flags, BITS.lease) then a.lease = number() end
  if has(flags, BITS.meta) then a.meta = take() end
  a.blocks = {}
  for i = 1, number() do
    local b = {n = number(), bytes = number(), data = take(), skip = 0}
    if a.counts then b.sizes = take() end
    a.blocks[i] = b
    a.records = a.records + b.n
  end
  a.last = a.seq
  if a.counts then a.last = a.seq + a.records - 1 end
  return a
end

-- producer looks a producer up as the call has left it.
local function producer(call, id)
  local p = call.producers[id]
  if p then return p end
  if call.forgotten[id] then return nil end
  local s = call.known and redis.call('HGET', PRODUCERS, id)
  if not s then return nil end
  local epoch, seq, last = string.match(s, '^(%d+) (%d+) (%d+)$')
  return {epoch = tonumber(epoch), seq = tonumber(seq), last = tonumber(last)}
end

-- judgeProducer follows Durable Streams, section 5.2.1. It returns how many of
-- the append's records have landed before, or a code.
local function judgeProducer(a, p)
  if not p then
    if a.seq ~= 0 then return 0, 'sequence_gap' end
    return 0
  end
  if a.epoch < p.epoch then return 0, 'fenced' end
  if a.epoch > p.epoch then
    if a.seq ~= 0 then return 0, 'bad_epoch_start' end
    return 0
  end
  if a.last <= p.seq then return math.max(a.records, 1) end
  if a.seq > p.seq + 1 then return 0, 'sequence_gap' end
  return p.seq + 1 - a.seq
end

-- idlest finds the producer to be forgotten.
local function idlest(call)
  local found, since = nil, call.now - IDLE
  local all = redis.call('HGETALL', PRODUCERS)
  for i = 1, #all, 2 do
    local id, last = all[i], tonumber(string.match(all[i + 1], '(%d+)$'))
    if last < since and not call.producers[id] and not call.forgotten[id] then found, since = id, last end
  end
  return found
end

local function remember(call, a, p)
  if not p then
    if not call.count then call.count = call.known and redis.call('HLEN', PRODUCERS) or 0 end
    if call.count >= MAX_PRODUCERS then
      local id = call.known and idlest(call)
      if not id then return 'too_many_producers' end
      call.forgotten[id] = true
      call.count = call.count - 1
    end
    call.count = call.count + 1
  end
  call.forgotten[a.id] = nil
  call.producers[a.id] = {epoch = a.epoch, seq = a.last, last = call.now}
end

-- leaveOut takes the first records, which have landed before, out of blocks.
local function leaveOut(blocks, landed)
  local rest = {}
  for _, b in ipairs(blocks) do
    if landed >= b.n then
      landed = landed - b.n
    else
      for size in string.gmatch(b.sizes, '%d+') do
        if landed == 0 then break end
        landed, b.skip, b.n, b.bytes = landed - 1, b.skip + 1, b.n - 1, b.bytes - tonumber(size)
      end
      rest[#rest + 1] = b
    end
  end
  return rest
end

local function isRetryOfEnd(h, a, p)
  local c = h.close
  if a.records == 0 and a.reason then return true end
  if not a.id then return false end
  if c.id == a.id and c.epoch == a.epoch and c.seq == a.seq then return true end
  return a.counts and p ~= nil and a.epoch == p.epoch and a.last <= p.seq
end

-- write lets an append that was accepted take effect.
local function write(h, call, a, blocks, i)
  local n = 0
  if #blocks > 0 then
    if h.rage and not h.oa then h.oa = call.now end
    local mark = string.sub(redis.sha1hex(h.tm .. call.nonce .. text(i)), 1, 16)
    for _, b in ipairs(blocks) do
      n = n + b.n
      h.ts, h.tm, h.bytes = h.ts + b.n, mark, h.bytes + b.bytes
      local about = mark .. ' ' .. text(b.bytes)
      if b.skip > 0 then about = about .. ' ' .. b.skip end
      call.adds[#call.adds + 1] = {text(h.ts), about, b.data}
    end
  end
  if a.sseq then h.sseq = a.sseq end
  if a.meta then h.meta = a.meta end
  if a.lease then h.term = a.lease end
  if h.term then h.lease = call.now + h.term end
  h.appended, h.touched = call.now, call.now
  if a.reason then
    h.close = {reason = a.reason, detail = a.detail, at = call.now, id = a.id, epoch = a.epoch, seq = a.seq}
  end
  return n
end

-- judge returns a result: how many records were written, whether the append had
-- landed before, a code if it was refused, and what the error is about.
local function judge(h, call, a, i)
  local p = a.id and producer(call, a.id)
  local r = {n = 0, known = p}
  local function refuse(code, about)
    r.code, r.about = code, about
    return r
  end
  if call.uncertain and not a.id then return refuse('uncertain') end
  if h.close then
    if not isRetryOfEnd(h, a, p) then return refuse('closed') end
    r.duplicate = true
    return r
  end
  if a.media and a.media ~= h.media then return refuse('content_type_mismatch', h.ctype) end
  local landed = 0
  if a.id then
    local code
    landed, code = judgeProducer(a, p)
    r.duplicate = landed > 0 and landed >= a.records
    if code then return refuse(code) end
    if r.duplicate then return r end
  end
  if a.sseq and h.sseq and not isAfter(a.sseq, h.sseq) then return refuse('stale_sequence', h.sseq) end
  if a.es and (a.es ~= h.ts or a.em ~= h.tm) then return refuse('unexpected_tail') end
  if a.id then
    local code = remember(call, a, p)
    if code then return refuse(code) end
    r.known = call.producers[a.id]
  end
  local blocks = a.blocks
  if landed > 0 then blocks = leaveOut(blocks, landed) end
  r.n = write(h, call, a, blocks, i)
  call.changed = true
  return r
end

-- encode writes a result: flags, records, epoch, sequence, code, what it is about.
local function encode(h, r)
  local flags = 0
  if r.duplicate then flags = flags + 1 end
  if h.close then flags = flags + 2 end
  local epoch, seq = 0, 0
  if r.known then flags, epoch, seq = flags + 4, r.known.epoch, r.known.seq end
  return string.format('%d %.0f %.0f %.0f %s ', flags, r.n, epoch, seq, r.code or '-') .. (r.about or '')
end
