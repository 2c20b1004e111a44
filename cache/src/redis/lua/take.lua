-- KEYS: bucket
-- ARGV: burst, tokens a second (above 0), tokens wanted, the fewest that will do
-- Returns how many were taken, and 0 or the ms until the wanted ones are there.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local burst, rate = tonumber(ARGV[1]), tonumber(ARGV[2])
local wanted, least = tonumber(ARGV[3]), tonumber(ARGV[4])
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = burst
if kept[1] then
  -- After a failover the clock may be another one, and behind.
  local passed = math.max(0, now - tonumber(kept[2])) / 1000000
  tokens = math.min(burst, tonumber(kept[1]) + passed * rate)
end
local taken, wait = 0, 0
if tokens >= least then
  taken = math.min(wanted, math.floor(tokens))
  tokens = tokens - taken
else
  wait = math.min(86400000, math.ceil((wanted - tokens) / rate * 1000))
end
redis.call('HSET', KEYS[1], 'tokens', tokens, 'at', now)
-- A bucket that is full again need not be kept.
redis.call('PEXPIRE', KEYS[1], math.min(86400000, math.ceil((burst - tokens) / rate * 1000) + 1000))
return {taken, wait}
