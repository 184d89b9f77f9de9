-- KEYS: the leases of one subject, by when they end. ARGV: the lease, how many there may be, ms that it lasts.
-- Answers 1 when it was given. Leases that have ended are those of processes that were killed.
local now = clock()
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', whole(now))
-- No lease lasts so long: the clock has jumped back. Those that are alive come back when they are renewed.
redis.call('ZREMRANGEBYSCORE', KEYS[1], whole(now + 2 * ARGV[3]), '+inf')
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], whole(now + ARGV[3]), ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
