-- KEYS: until (user -> latest expiry), seats (user -> packed {node = expiry})
-- ARGV: node, ttl in ms, users...
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local node, ttl = ARGV[1], tonumber(ARGV[2])

-- Those whose every seat has run out; as many as are refreshed, so the sets stay as large as what is in use.
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 1000)
if #gone > 0 then
  redis.call('ZREM', KEYS[1], unpack(gone))
  redis.call('HDEL', KEYS[2], unpack(gone))
end

local users = {}
for i = 3, #ARGV do
  users[i - 2] = ARGV[i]
end
local held = redis.call('HMGET', KEYS[2], unpack(users))
local scores, seats, longest = {}, {}, now + ttl
for i, user in ipairs(users) do
  local nodes, last = { [node] = now + ttl }, now + ttl
  if held[i] then
    for other, expiry in pairs(cmsgpack.unpack(held[i])) do
      if other ~= node and expiry > now then
        nodes[other] = expiry
        last = math.max(last, expiry)
      end
    end
  end
  longest = math.max(longest, last)
  scores[2 * i - 1], scores[2 * i] = last, user
  seats[2 * i - 1], seats[2 * i] = user, cmsgpack.pack(nodes)
end
redis.call('ZADD', KEYS[1], unpack(scores))
redis.call('HSET', KEYS[2], unpack(seats))

-- Nothing is left behind when nobody refreshes any more.
local left = longest - now + 1000
if redis.call('PTTL', KEYS[1]) < left then
  redis.call('PEXPIRE', KEYS[1], left)
  redis.call('PEXPIRE', KEYS[2], left)
end
return 1
