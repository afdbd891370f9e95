-- An operator's order, or the release from one.
-- ARGV: 4 name, 5 open, closed or released, 6 milliseconds; 0 has no end
beat()
local epoch = redis.call('HINCRBY', KEYS[1], 'n', 1)
local published
if ARGV[5] == 'released' then
  redis.call('HDEL', KEYS[4], ARGV[4])
  published = table.concat({ 'O', text(epoch), 'released', '0', member, ARGV[4] }, ' ')
else
  local order = table.concat({ text(epoch), ARGV[5], text(now + tonumber(ARGV[6])), ARGV[6],
    member }, ' ')
  redis.call('HSET', KEYS[4], ARGV[4], order)
  published = order_line(ARGV[4], order)
end
redis.call('PUBLISH', prefix .. 'ev', published)
return { general(), published }
