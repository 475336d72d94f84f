-- schedule lists the stream among the deadlines. One that is listed earlier
-- stays where it is: Sweep then finds it too soon and lists it anew, which costs
-- less than moving it at each append.
local function schedule(h, name)
  local at = deadline(h)
  if at and (not h.listed or at < h.listed) then
    h.listed = at
    redis.call('ZADD', DEADLINES, text(at), name)
  end
end

-- relist lists the stream at its true deadline.
local function relist(h, name)
  local at = deadline(h)
  if at == h.listed then return end
  h.listed = at
  if at then
    redis.call('ZADD', DEADLINES, text(at), name)
  else
    redis.call('ZREM', DEADLINES, name)
  end
end

-- save writes the head, and moves Redis' own expiry when that is far from where
-- it has to be. fresh says that a key has come to be which does not expire yet.
local function save(h, isTest, fresh)
  local at = not isTest and expiry(h)
  local net = at and math.max(at, 0) + LATE or nil
  local moved = net ~= h.net and not (net and h.net and net >= h.net and net - h.net < LATE / 2)
  if moved then h.net = net end
  if h.net and (moved or fresh) then
    if h.stored then redis.call('PEXPIREAT', RECORDS, text(h.net)) end
    if h.known then redis.call('PEXPIREAT', PRODUCERS, text(h.net)) end
  elseif moved then
    redis.call('PERSIST', RECORDS)
    redis.call('PERSIST', PRODUCERS)
  end
  local packed = cmsgpack.pack(h)
  if not h.net then
    redis.call('SET', HEAD, packed)
  elseif moved then
    redis.call('SET', HEAD, packed, 'PXAT', text(h.net))
  else
    redis.call('SET', HEAD, packed, 'KEEPTTL')
  end
end

-- drop removes a stream with all that belongs to it.
local function drop(name)
  redis.call('DEL', HEAD, RECORDS, PRODUCERS)
  redis.call('ZREM', NAMES, name)
  redis.call('ZREM', DEADLINES, name)
end
