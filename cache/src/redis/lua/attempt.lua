-- KEYS: attempts
-- ARGV: attempts that are free, first delay in ms, longest delay in ms, ms until they are forgotten
-- Returns 0 when the attempt may be made (it is counted then), else the ms until the next one may.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local free, first = tonumber(ARGV[1]), tonumber(ARGV[2])
local longest, memory = tonumber(ARGV[3]), tonumber(ARGV[4])
local kept = redis.call('HMGET', KEYS[1], 'count', 'until')
local count, closed = tonumber(kept[1] or 0), tonumber(kept[2] or 0)
-- After a failover the clock may be another one, and behind.
local wait = math.min(closed - now, longest)
if wait > 0 then
  return wait
end
count = count + 1
local delay = 0
if count >= free then
  delay = math.min(longest, first * 2 ^ math.min(count - free, 30))
end
redis.call('HSET', KEYS[1], 'count', count, 'until', now + delay)
redis.call('PEXPIRE', KEYS[1], math.max(memory, delay))
return 0
