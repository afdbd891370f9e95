-- The heartbeat: all that is newer than known, and the current votes of the member.
-- ARGV: 4 known, 5 the same or 0 to hear again of all that is not closed, 6 quorum, 7 its value,
-- then for each vote: name, known epoch, wait, reset, max_reset, cause
beat()
local lines = {}
for index = 8, #ARGV, 6 do
  local first = vote(false, ARGV[6], ARGV[7], ARGV[index], tonumber(ARGV[index + 1]),
    tonumber(ARGV[index + 2]), tonumber(ARGV[index + 3]), tonumber(ARGV[index + 4]),
    ARGV[index + 5])
  if string.sub(first, 1, 1) == 'Q' then
    lines[#lines + 1] = first
  end
end

local function add(name)
  local v = read(name)
  if v then
    lines[#lines + 1] = line(v)
  else
    redis.call('ZREM', KEYS[3], name)
  end
end
local newer = redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. ARGV[4], '(' .. text(NOT_CLOSED))
for _, name in ipairs(newer) do
  add(name)
end
local not_closed = redis.call('ZRANGEBYSCORE', KEYS[3],
  '(' .. text(NOT_CLOSED + tonumber(ARGV[5])), '+inf')
for _, name in ipairs(not_closed) do
  add(name)
end

local orders = redis.call('HGETALL', KEYS[4])
for index = 1, #orders, 2 do
  local order, left = order_line(orders[index], orders[index + 1])
  if left == 0 then
    redis.call('HDEL', KEYS[4], orders[index])
  else
    lines[#lines + 1] = order
  end
end
table.insert(lines, 1, general())
return lines
