-- KEYS: until (user -> latest expiry)
-- ARGV: users...
-- Answers a string with one digit a user.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local online = redis.call('ZMSCORE', KEYS[1], unpack(ARGV))
for i, expiry in ipairs(online) do
  online[i] = (expiry and tonumber(expiry) > now) and '1' or '0'
end
return table.concat(online)
