-- Records the opinion of one process that a service is down.
-- ARGV: 4 name, 5 quorum, 6 its value, 7 known epoch, 8 wait, 9 reset, 10 max_reset, 11 cause
beat()
local first, second = vote(true, ARGV[5], ARGV[6], ARGV[4], tonumber(ARGV[7]), tonumber(ARGV[8]),
  tonumber(ARGV[9]), tonumber(ARGV[10]), ARGV[11])
local lines = { general(), first }
if second then
  lines[3] = second
end
return lines
