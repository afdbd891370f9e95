-- The knowledge of a member, told to a store that has lost its data. The member that knows most
-- is believed; the knowledge of others is used only where the store has none.
-- ARGV: 4 known, 5 number of verdicts, then for each: name, epoch, state, rest, wait, openings,
-- reset, by, prober, cause, token; then for each order: name, epoch, kind, rest, by
beat()
local function epoch_of(order)
  return tonumber(string.match(order, '^%d+'))
end

local known = tonumber(ARGV[4])
local floor = tonumber(redis.call('HGET', KEYS[1], 'floor') or '0')
if known > tonumber(redis.call('HGET', KEYS[1], 'n')) then
  redis.call('HSET', KEYS[1], 'n', text(known))
end
local index = 6
for _ = 1, tonumber(ARGV[5]) do
  local name, epoch = ARGV[index], tonumber(ARGV[index + 1])
  local v = read(name)
  local left = tonumber(ARGV[index + 3])
  local state = ARGV[index + 2]
  -- Only the holder of a lease tells of it; the others tell of an open circuit.
  local is_lease = v and epoch == v.epoch and state == 'half-open' and v.state == 'open'
  if not v or epoch > v.epoch or is_lease then
    local told = {
      name = name, epoch = epoch, state = state, at = 0, wait = tonumber(ARGV[index + 4]),
      openings = tonumber(ARGV[index + 5]), reset = tonumber(ARGV[index + 6]),
      by = ARGV[index + 7], prober = ARGV[index + 8], cause = ARGV[index + 9],
      token = ARGV[index + 10], lease_at = 0, term = 0,
    }
    if state == 'open' then
      told.at = now + math.min(left, told.wait)
    elseif state == 'half-open' then
      told.term, told.lease_at = left, now + left
    end
    write(told)
  end
  index = index + 11
end

if known >= floor then
  redis.call('HSET', KEYS[1], 'floor', text(known))
  local told = {}
  while index <= #ARGV do
    local name, epoch, left = ARGV[index], tonumber(ARGV[index + 1]), tonumber(ARGV[index + 3])
    told[name] = true
    local current = redis.call('HGET', KEYS[4], name)
    if not current or epoch > epoch_of(current) then
      local term = math.max(0, left)
      redis.call('HSET', KEYS[4], name, table.concat({ text(epoch), ARGV[index + 2],
        text(now + term), text(term), ARGV[index + 4] }, ' '))
    end
    index = index + 5
  end
  local orders = redis.call('HGETALL', KEYS[4])
  for at = 1, #orders, 2 do
    if not told[orders[at]] and epoch_of(orders[at + 1]) <= known then
      redis.call('HDEL', KEYS[4], orders[at])
    end
  end
end
return { general(), 'A' }
