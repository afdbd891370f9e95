-- Gives back a lease by which nothing was found out.
-- ARGV: 4 name, 5 token
beat()
local v = read(ARGV[4])
if not v or v.state ~= 'half-open' or v.token ~= ARGV[5] then
  return { general(), 'R' }
end
v.state, v.token, v.prober, v.lease_at, v.term = 'open', '-', '-', 0, 0
v.at = now
change(v)
return { general(), 'A', line(v) }
