-- together.lua makes calls of several streams, each by itself: what goes wrong
-- with one does not touch the others. KEYS: those of each stream. ARGV: time, and
-- each call after the number of its arguments.
local now, isTest = clock()
local replies = {}
for i = 1, #KEYS / 5 do
  local k = 5 * i - 4
  HEAD, RECORDS, PRODUCERS, NAMES, DEADLINES = KEYS[k], KEYS[k + 1], KEYS[k + 2], KEYS[k + 3], KEYS[k + 4]
  local last = number() + ARG
  local ok, reply = pcall(append, now, isTest, false)
  if not ok then reply = {'fault', tostring(type(reply) == 'table' and reply.err or reply)} end
  replies[i] = reply
  ARG = last
end
return replies
