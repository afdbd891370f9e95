-- The beginning of every script: the clock, members, verdicts and votes of one namespace.
--
-- KEYS: 1 counter and generation, 2 members, 3 index of names, 4 orders. All keys of a namespace
-- are in one hash slot, so those of single names are built here from the first.
-- ARGV: 1 schema, 2 generation to begin with where the store has none, 3 the member that asks.
--
-- Answers are lines, each of which begins with a letter:
--   G seq members generation                 first in every answer
--   V epoch state rest wait openings reset by prober cause name
--   O epoch kind rest by name                an order; a rest of -1 has no end
--   Q votes needed name
--   L granted term token, L denied rest, L early rest, L closed
--   A, R                                     accepted, refused

-- Milliseconds for which a member counts as live after its last word.
local MEMBER_TTL = 3000
-- Milliseconds for which the store remembers a name after its wait is over.
local KEEP = 600000
-- Added to the index's scores of names that are not closed; a double has 53 bits.
local NOT_CLOSED = 4503599627370496
-- A vote is kept for this long after the wait that it asks for.
local VOTE_GRACE = 1000

local prefix = string.sub(KEYS[1], 1, -4)
local member = ARGV[3]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function text(number)
  return string.format('%.0f', number)
end

local meta = redis.call('HMGET', KEYS[1], 'schema', 'generation')
if not meta[1] then
  redis.call('HSET', KEYS[1], 'schema', ARGV[1], 'generation', ARGV[2], 'n', 0)
  meta[2] = ARGV[2]
elseif meta[1] ~= ARGV[1] then
  return redis.error_reply('SCHEMA ' .. meta[1])
end

-- The counter outlives every verdict, so that no epoch is used twice. This is always a write:
-- before the first one of a script, a store that is full refuses those that take memory, and none
-- later.
local function keep(time_to_live)
  local left = redis.call('PTTL', KEYS[1])
  redis.call('PEXPIRE', KEYS[1], text(math.max(left, time_to_live + KEEP)))
end
keep(0)

local function beat()
  redis.call('ZADD', KEYS[2], text(now), member)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', text(now - MEMBER_TTL))
  redis.call('ZREMRANGEBYSCORE', KEYS[2], text(now + MEMBER_TTL), '+inf')
  redis.call('PEXPIRE', KEYS[2], KEEP)
end

-- A clock that was set back leaves members in the future; each counts again with its next word.
local function is_live(other)
  local at = redis.call('ZSCORE', KEYS[2], other)
  return at and tonumber(at) > now - MEMBER_TTL and tonumber(at) < now + MEMBER_TTL
end

local function members()
  return redis.call('ZCOUNT', KEYS[2], '(' .. text(now - MEMBER_TTL), '(' .. text(now + MEMBER_TTL))
end

local function general()
  local seq = redis.call('HGET', KEYS[1], 'n')
  return 'G ' .. seq .. ' ' .. members() .. ' ' .. meta[2]
end

-- Returns what is left of `whole` until `at`: never more, though the clock was set back.
local function rest(at, whole)
  return math.max(0, math.min(at - now, whole))
end

local function read(name)
  local key = prefix .. 'b:' .. name
  local f = redis.call('HMGET', key, 'epoch', 'state', 'at', 'wait', 'openings', 'reset', 'by',
    'prober', 'cause', 'token', 'lease_at', 'term')
  if not f[1] then
    return nil
  end
  local v = {
    name = name, epoch = tonumber(f[1]), state = f[2], at = tonumber(f[3]), wait = tonumber(f[4]),
    openings = tonumber(f[5]), reset = tonumber(f[6]), by = f[7], prober = f[8], cause = f[9],
    token = f[10], lease_at = tonumber(f[11]), term = tonumber(f[12]),
  }
  if v.at - now > v.wait then
    v.at = now + v.wait
    redis.call('HSET', key, 'at', text(v.at))
  end
  if v.lease_at - now > v.term then
    v.lease_at = now + v.term
    redis.call('HSET', key, 'lease_at', text(v.lease_at))
  end
  return v
end

local function is_open(v)
  return v and v.state == 'open' and v.at > now
end

local function is_leased(v)
  return v and v.state == 'half-open' and v.lease_at > now
end

local function line(v)
  local left = 0
  if v.state == 'open' then
    left = rest(v.at, v.wait)
  elseif v.state == 'half-open' then
    left = rest(v.lease_at, v.term)
  end
  return table.concat({ 'V', text(v.epoch), v.state, text(left), text(v.wait), text(v.openings),
    text(v.reset), v.by, v.prober, v.cause, v.name }, ' ')
end

local function write(v)
  local key = prefix .. 'b:' .. v.name
  redis.call('HSET', key, 'epoch', text(v.epoch), 'state', v.state, 'at', text(v.at),
    'wait', text(v.wait), 'openings', text(v.openings), 'reset', text(v.reset), 'by', v.by,
    'prober', v.prober, 'cause', v.cause, 'token', v.token, 'lease_at', text(v.lease_at),
    'term', text(v.term))
  local score = v.epoch
  if v.state ~= 'closed' then
    score = score + NOT_CLOSED
  end
  redis.call('ZADD', KEYS[3], text(score), v.name)
  local longest = math.max(v.wait, v.term)
  redis.call('PEXPIRE', key, text(longest + KEEP))
  keep(longest + KEEP)
  if redis.call('PTTL', KEYS[3]) < longest + KEEP then
    redis.call('PEXPIRE', KEYS[3], text(longest + KEEP))
  end
  redis.call('PUBLISH', prefix .. 'ev', line(v))
end

local function change(v)
  v.epoch = redis.call('HINCRBY', KEYS[1], 'n', 1)
  write(v)
end

-- The wait of an opening: what its opener asks for, or more if the rules double it.
local function open(v, name, wait, reset, max_reset, cause)
  local openings = 0
  if v and v.state ~= 'closed' then
    openings = v.openings
  end
  local doubled = reset * 2 ^ math.min(openings, 30)
  wait = math.max(wait, math.min(doubled, max_reset))
  local opened = {
    name = name, state = 'open', at = now + wait, wait = wait, openings = openings + 1,
    reset = reset, by = member, prober = '-', cause = cause, token = '-', lease_at = 0, term = 0,
  }
  change(opened)
  return opened
end

local function close(v)
  v.state, v.at, v.wait, v.openings = 'closed', 0, 0, 0
  v.token, v.lease_at, v.term = '-', 0, 0
  redis.call('DEL', prefix .. 'v:' .. v.name)
  change(v)
  -- Some of the oldest closed names, which the store may have forgotten.
  local oldest = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', '(' .. text(NOT_CLOSED),
    'LIMIT', 0, 10)
  for _, name in ipairs(oldest) do
    if redis.call('EXISTS', prefix .. 'b:' .. name) == 0 then
      redis.call('ZREM', KEYS[3], name)
    end
  end
end

-- Counts the votes of live members whose wait is not over, and removes the others.
local function tally(name)
  local key = prefix .. 'v:' .. name
  local votes = redis.call('HGETALL', key)
  local count = 0
  for index = 1, #votes, 2 do
    if tonumber(votes[index + 1]) > now and is_live(votes[index]) then
      count = count + 1
    else
      redis.call('HDEL', key, votes[index])
    end
  end
  return count
end

local function needed(kind, value)
  local live = members()
  if kind == 'fraction' then
    return math.max(1, math.ceil(live * tonumber(value)))
  elseif kind == 'at-least' then
    return math.max(1, math.min(live, tonumber(value)))
  end
  return 1
end

-- Records a vote, and opens for all if it completes the quorum. The holder of a lease decides
-- alone, and an opinion that is older than the verdict is not counted. One that is only repeated
-- does not open a circuit again that is due for a probe.
local function vote(is_new, quorum, value, name, known, wait, reset, max_reset, cause)
  local v = read(name)
  if v and v.epoch > known then
    return line(v)
  elseif is_leased(v) then
    return line(v)
  end
  local key = prefix .. 'v:' .. name
  redis.call('HSET', key, member, text(now + wait + VOTE_GRACE))
  redis.call('PEXPIRE', key, text(wait + KEEP))
  local votes, quota = tally(name), needed(quorum, value)
  local may_open = not v or v.state == 'closed' or (is_new and not is_open(v))
  if votes >= quota and may_open then
    v = open(v, name, wait, reset, max_reset, cause)
  end
  return 'Q ' .. text(votes) .. ' ' .. text(quota) .. ' ' .. name, v and line(v)
end

local function order_line(name, order)
  local epoch, kind, at, term, by = string.match(order, '^(%S+) (%S+) (%S+) (%S+) (%S+)$')
  local left = -1
  if term ~= '0' then
    left = rest(tonumber(at), tonumber(term))
    if tonumber(at) - now > left then
      redis.call('HSET', KEYS[4], name,
        table.concat({ epoch, kind, text(now + left), term, by }, ' '))
    end
  end
  return table.concat({ 'O', epoch, kind, text(left), by, name }, ' '), left
end
