-- Withdraws the opinion of one process.
-- ARGV: 4 name
beat()
redis.call('HDEL', prefix .. 'v:' .. ARGV[4], member)
return { general(), 'A' }
