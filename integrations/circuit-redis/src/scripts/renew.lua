-- Extends the lease of a probe that is still running.
-- ARGV: 4 name, 5 token, 6 term
beat()
local v = read(ARGV[4])
if not v or v.state ~= 'half-open' or v.token ~= ARGV[5] then
  return { general(), 'R', v and line(v) }
end
v.term = tonumber(ARGV[6])
v.lease_at = now + v.term
redis.call('HSET', prefix .. 'b:' .. v.name, 'term', text(v.term), 'lease_at', text(v.lease_at))
return { general(), 'A', line(v) }
