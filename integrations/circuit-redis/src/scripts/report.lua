-- The result of a probe, which counts only with the current token.
-- ARGV: 4 name, 5 token, 6 succeeded or failed, 7 wait, 8 reset, 9 max_reset, 10 cause
beat()
local v = read(ARGV[4])
if not v or v.state ~= 'half-open' or v.token ~= ARGV[5] then
  return { general(), 'R', v and line(v) }
end
if ARGV[6] == 'succeeded' then
  close(v)
else
  v = open(v, v.name, tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10])
end
return { general(), 'A', line(v) }
