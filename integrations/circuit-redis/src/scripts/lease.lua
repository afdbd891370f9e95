-- Asks for the one probe of the fleet.
-- ARGV: 4 name, 5 token, 6 term
beat()
local v = read(ARGV[4])
if not v or v.state == 'closed' then
  return { general(), 'L closed', v and line(v) }
end
if is_open(v) then
  return { general(), 'L early ' .. text(rest(v.at, v.wait)), line(v) }
end
-- The token of the holder itself repeats a request whose answer was lost.
if is_leased(v) and v.token ~= ARGV[5] then
  return { general(), 'L denied ' .. text(rest(v.lease_at, v.term)), line(v) }
end
if not is_leased(v) then
  v.state, v.token, v.prober = 'half-open', ARGV[5], member
  v.term = tonumber(ARGV[6])
  v.lease_at = now + v.term
  change(v)
end
return { general(), 'L granted ' .. text(v.term) .. ' ' .. v.token, line(v) }
