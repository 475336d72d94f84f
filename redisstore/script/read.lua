-- read.lua returns the blocks after an offset, which it verifies.
-- KEYS: head, records. ARGV: time, number, mark, records and bytes of the limit.
local now = clock()
local seq, mark = number(), take()
local mostRecords, mostBytes = number(), number()

local h = sight((load(HEAD, now)))
if not h then return {'absent'} end

local function gap(why) return {'gap', why, h.os, h.om, h.ts, h.tm} end

-- Whether the first block begins before the offset, so that its size says little
-- about what of it is wanted.
local within = false
if seq == 0 and mark == '0000000000000000' then
  seq = h.os
elseif seq > h.ts then
  return gap('ahead')
elseif seq < h.os then
  return gap('trimmed')
else
  local known
  if seq == h.ts then
    known = h.tm
  elseif seq == h.os then
    known = h.om
  else
    local entry = redis.call('XRANGE', RECORDS, text(seq), '+', 'COUNT', 1)[1]
    known = string.sub(entry[2][2], 1, 16)
    within = string.match(entry[1], '^%d+') ~= text(seq)
  end
  if known ~= mark then return gap('diverged') end
end

-- What the blocks are like is known when some were seen; then they come in
-- larger runs.
local blocks, records, bytes, at, count = {}, 0, 0, seq, 1
while at < h.ts and (mostRecords <= 0 or records < mostRecords) and (mostBytes <= 0 or bytes < mostBytes) do
  local run = redis.call('XRANGE', RECORDS, text(at + 1), text(h.ts), 'COUNT', count)
  if #run == 0 then return redis.error_reply('FRESHET records of the stream are missing') end
  for _, entry in ipairs(run) do
    local last = tonumber(string.match(entry[1], '^%d+'))
    local about, data = entry[2][2], entry[2][4]
    local size = within and 0 or tonumber(string.match(about, '^%x+ (%d+)'))
    within = false
    if #blocks > 0 and (mostBytes > 0 and (bytes >= mostBytes or last == at + 1 and bytes + size > mostBytes)
      or mostRecords > 0 and records >= mostRecords) then
      return {'page', facts(h), blocks}
    end
    blocks[#blocks + 1] = text(last)
    blocks[#blocks + 1] = about
    blocks[#blocks + 1] = data
    records, bytes, at = records + last - at, bytes + size, last
  end
  local mean = math.max(bytes, 1) / (#blocks / 3)
  local enough = mostBytes > 0 and math.ceil((mostBytes - bytes) / mean) or 256
  count = math.max(1, math.min(4 * count, enough, 256))
end
return {'page', facts(h), blocks}
