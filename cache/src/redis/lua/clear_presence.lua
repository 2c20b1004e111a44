-- KEYS: until (user -> latest expiry), seats (user -> packed {node = expiry})
-- ARGV: node, users...
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local node = ARGV[1]
for i = 2, #ARGV do
  local user = ARGV[i]
  local held = redis.call('HGET', KEYS[2], user)
  if held then
    local nodes, last = {}, 0
    for other, expiry in pairs(cmsgpack.unpack(held)) do
      if other ~= node and expiry > now then
        nodes[other] = expiry
        last = math.max(last, expiry)
      end
    end
    if last > 0 then
      redis.call('ZADD', KEYS[1], last, user)
      redis.call('HSET', KEYS[2], user, cmsgpack.pack(nodes))
    else
      redis.call('ZREM', KEYS[1], user)
      redis.call('HDEL', KEYS[2], user)
    end
  end
end
return 1
