-- KEYS: bucket
-- ARGV: burst, tokens a second (above 0)
-- Answers 0 when a token was taken, else the ms until there is one.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local burst, rate = tonumber(ARGV[1]), tonumber(ARGV[2])
local kept = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = burst
if kept[1] then
  -- After a failover the clock may be another one, and behind.
  local passed = math.max(0, now - tonumber(kept[2])) / 1000000
  tokens = math.min(burst, tonumber(kept[1]) + passed * rate)
end
local wait = 0
if tokens >= 1 then
  tokens = tokens - 1
else
  wait = math.min(86400000, math.ceil((1 - tokens) / rate * 1000))
end
redis.call('HSET', KEYS[1], 'tokens', tokens, 'at', now)
-- A bucket that is full again need not be kept.
redis.call('PEXPIRE', KEYS[1], math.min(86400000, math.ceil((burst - tokens) / rate * 1000) + 1000))
return wait
