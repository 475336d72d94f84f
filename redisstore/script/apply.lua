-- A hint carries the change unless that is larger.
local HINT = 32768

-- hint writes what followers are told: a line, and then the blocks as they are
-- stored, each after a line of its own. See hint.go.
local function hint(from, mark, h, adds)
  local size = 0
  for _, add in ipairs(adds) do size = size + #add[3] end
  if size > HINT then return '' end
  local parts = {string.format('%.0f %s %.0f %s %d', from, mark, h.ts, h.tm, #adds)}
  local c = h.close
  if c then
    parts[1] = string.format('%s %s %.0f %d %.0f %.0f %d', parts[1], c.reason, c.at, #c.detail, c.epoch or 0, c.seq or 0, c.id and #c.id or -1)
  end
  parts[1] = parts[1] .. '\n'
  if c then parts[2] = c.detail .. (c.id or '') end
  for _, add in ipairs(adds) do
    parts[#parts + 1] = string.format('%s %d %s\n', add[1], #add[3], add[2])
    parts[#parts + 1] = add[3]
  end
  return table.concat(parts)
end

-- apply writes what a call has changed of a stream, and returns the hint of it.
local function apply(h, call, name)
  local fresh = false
  if #call.adds > 0 and not h.stored then h.stored, fresh = true, true end
  for _, add in ipairs(call.adds) do
    redis.call('XADD', RECORDS, add[1] .. '-' .. text(call.now), 'm', add[2], 'd', add[3])
  end
  trim(h)
  for id, p in pairs(call.producers) do
    if not h.known then h.known, fresh = true, true end
    redis.call('HSET', PRODUCERS, id, string.format('%.0f %.0f %.0f', p.epoch, p.seq, p.last))
  end
  for id in pairs(call.forgotten) do redis.call('HDEL', PRODUCERS, id) end
  schedule(h, name)
  save(h, call.isTest, fresh)
end

local function newCall(h, now, isTest, nonce)
  return {now = now, isTest = isTest, nonce = nonce, known = h.known, adds = {}, producers = {}, forgotten = {}}
end
