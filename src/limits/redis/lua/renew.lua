-- KEYS: the subject of each lease. ARGV: ms that they last from now on; then the leases.
-- One that Redis does not know was given while it was away, or before it lost its memory: it counts from now on.
local ends = whole(clock() + ARGV[1])
for index, key in ipairs(KEYS) do
  redis.call('ZADD', key, ends, ARGV[index + 1])
  redis.call('PEXPIRE', key, ARGV[1])
end
return #KEYS
