-- spans returns a function that returns the spans of a stream one after the
-- other: the records of one append, which are kept or given up together.
local function spans(h)
  local from, page, at = h.os, {}, 0
  local function peek()
    if at >= #page then
      page, at = redis.call('XRANGE', RECORDS, text(from + 1), '+', 'COUNT', 16), 0
      if #page == 0 then return nil end
    end
    local entry = page[at + 1]
    local seq, ms = string.match(entry[1], '^(%d+)-(%d+)$')
    local mark, bytes = string.match(entry[2][2], '^(%x+) (%d+)')
    return {seq = tonumber(seq), mark = mark, bytes = tonumber(bytes), at = tonumber(ms)}
  end
  return function()
    local span = peek()
    while span do
      at, from = at + 1, span.seq
      local more = peek()
      if not more or more.mark ~= span.mark then return span end
      more.bytes, more.at = more.bytes + span.bytes, span.at
      span = more
    end
  end
end

local function giveUp(h, span)
  h.os, h.om, h.bytes = span.seq, span.mark, h.bytes - span.bytes
  if h.os == h.ts then h.oa = nil end
end

local function exceeds(h)
  return h.rrecords and h.ts - h.os > h.rrecords or h.rbytes and h.bytes > h.rbytes
end

local function clear(h) redis.call('XTRIM', RECORDS, 'MINID', text(h.os + 1)) end

-- trim gives up the oldest spans until what is left is within the bounds of the
-- spec, or is the last one.
local function trim(h)
  if not exceeds(h) then return end
  local following = spans(h)
  local before = h.os
  while exceeds(h) do
    local span = following()
    if span.seq == h.ts then
      if h.rage then h.oa = span.at end
      if h.os ~= before then clear(h) end
      return
    end
    giveUp(h, span)
  end
  if h.rage then h.oa = following().at end
  clear(h)
end

-- trimAged gives up the spans that are too old.
local function trimAged(h, now)
  local function aged()
    local at = ages(h)
    return at and now >= at
  end
  local following = spans(h)
  local before = h.os
  while aged() do
    local span = following()
    h.oa = span.at
    if not aged() then break end
    giveUp(h, span)
  end
  if h.os ~= before then clear(h) end
end
