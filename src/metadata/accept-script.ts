// Accepting a batch: one script, so that it is accepted for all of its channels or not at all.
import { channelListLua } from './channel-list.ts';
import { outboxLua } from './outbox-lua.ts';
import { script } from './script.ts';

/**
 * Arguments: idempotency key (or ''), hash of the request ('': any is the same), how long to keep it; batch id, fields of the batch
 * as JSON; lane; limits per channel and in all; channels (channel-list.ts); who of the drains that are woken need not be; count of items; then id, text, mode, key, accepted
 * at and expires in for each item.
 * Answers: {'accepted', counts, channels with room, channels that waited already, channels without, up to 20 of those …} · {'repeated', batch id, its fields} · {'conflict'} ·
 * {'full', 'total' | 'channel', waiting} · {'id_taken'}
 */
export const acceptScript = script(`${outboxLua}${channelListLua}
local idem, hash, idemMs = ARGV[1], ARGV[2], ARGV[3]
local batchId, batchFields, lane = ARGV[4], cjson.decode(ARGV[5]), tonumber(ARGV[6])
local channelLimit, totalLimit = tonumber(ARGV[7]), tonumber(ARGV[8])
local channels = unpackChannels(ARGV[9])
local items = {}
for index = 1, tonumber(ARGV[11]) do
  local at = 12 + (index - 1) * 6
  items[index] = {id = ARGV[at], text = ARGV[at + 1], mode = ARGV[at + 2], key = ARGV[at + 3],
    accepted = ARGV[at + 4], expires = string.format('%.0f', now + tonumber(ARGV[at + 5]))}
end

if idem ~= '' then
  local known = redis.call('HMGET', P .. ':idem:' .. idem, 'hash', 'batch')
  local fields = known[2] and redis.call('HGETALL', P .. ':b:' .. known[2]) or {}
  if #fields > 0 then
    if hash == '' or known[1] == hash then return {'repeated', known[2], fields} end
    return {'conflict'}
  end
end

for _, item in ipairs(items) do
  if redis.call('EXISTS', P .. ':i:' .. item.id) == 1 then return {'id_taken'} end
end

local keyOf, distinct = {}, #items
for _, item in ipairs(items) do
  if item.key ~= '' then
    if keyOf[item.key] then distinct = distinct - 1 end
    keyOf[item.key] = true
  end
end

-- What would leave a channel for the new items, as a list and a set: what they replace and, if they are more urgent, as much bulk as
-- the channel has too many; not what is being sent. Returns also by how many items the channel would still be too full.
local function leaving(channel, size)
  local queue, list, set = P .. ':q:' .. channel, {}, {}
  for key in pairs(keyOf) do
    local older = redis.call('HGET', P .. ':k:' .. channel, key)
    if older then
      list[#list + 1] = older
      set[older] = true
    end
  end
  local over = size + distinct - #list - channelLimit
  if over <= 0 or lane == 2 then return list, over end
  local sending = redis.call('GET', P .. ':f:' .. channel) or ''
  local most = over + #list + #words(sending)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', queue, 2 * laneStep, '+inf', 'LIMIT', 0, most)) do
    if over > 0 and not set[id] and not string.find(sending, id, 1, true) then
      list[#list + 1] = id
      over = over - 1
    end
  end
  return list, over
end

-- Who has room? What is replaced needs none, and more urgent items push out bulk.
local open, sizes, full = {}, {}, {}
for _, channel in ipairs(channels) do
  local size = redis.call('ZCARD', P .. ':q:' .. channel)
  local over = size + #items - channelLimit
  if over > 0 then
    local _
    _, over = leaving(channel, size)
  end
  if over > 0 then full[#full + 1] = channel
  else
    open[#open + 1] = channel
    sizes[#open] = size
  end
end
if #channels > 0 and #open == 0 then return {'full', 'channel', channelLimit} end

-- The oldest bulk items, each with all its channels, that take so much room; undefined if all of them do not. What leaves anyhow
-- ('gone': id to count) is none of it.
local function oldestBulk(room, gone)
  local chosen = {}
  for first = 0, redis.call('ZCARD', P .. ':bulk') - 1, 500 do
    for _, id in ipairs(redis.call('ZRANGE', P .. ':bulk', first, first + 499)) do
      chosen[#chosen + 1] = id
      room = room - tonumber(redis.call('HGET', P .. ':i:' .. id, 'n') or '0') + (gone[id] or 0)
      if room <= 0 then return chosen end
    end
  end
end

-- The same for all channels together. Nothing is pushed out for a batch that does not fit even so.
local total = tonumber(redis.call('GET', P .. ':total') or '0')
if total + #open * #items > totalLimit then
  local over, gone, takesRoom = total + #open * distinct - totalLimit, {}, {}
  for position, channel in ipairs(open) do
    for _, id in ipairs((leaving(channel, sizes[position]))) do
      if takesRoom[id] == nil then takesRoom[id] = redis.call('HEXISTS', P .. ':i:' .. id, 'o') == 0 end
      if takesRoom[id] then
        gone[id] = (gone[id] or 0) + 1
        over = over - 1
      end
    end
  end
  if over > 0 and (lane == 2 or not oldestBulk(over, gone)) then return {'full', 'total', total} end
end

if idem ~= '' then
  redis.call('HSET', P .. ':idem:' .. idem, 'hash', hash, 'batch', batchId)
  redis.call('PEXPIRE', P .. ':idem:' .. idem, idemMs)
end

local pairsInAll = #open * #items
local batch = P .. ':b:' .. batchId
local before = redis.call('ZCARD', P .. ':ready') + redis.call('ZCARD', P .. ':later') + redis.call('ZCARD', P .. ':held')
local fields = {'channels', #open, 'channelsBefore', before, 'total', pairsInAll, 'pending', pairsInAll, 'startedAt', now,
  'full', #full, 'fullExamples', table.concat(full, ' ', 1, math.min(#full, 20))}
for field, value in pairs(batchFields) do
  fields[#fields + 1] = field
  fields[#fields + 1] = value
end
redis.call('HSET', batch, unpack(fields))
-- Two of the same millisecond keep their order.
local newest = redis.call('ZREVRANGE', P .. ':batches', 0, 0, 'WITHSCORES')[2]
redis.call('ZADD', P .. ':batches', newest and math.max(now, tonumber(newest) + 0.001) or now, batchId)
redis.call('ZREMRANGEBYRANK', P .. ':batches', 0, -201)
if pairsInAll == 0 then
  endBatch(batchId)
  return {'accepted', {}, #open, before, #full, unpack(full, 1, 20)}
end
redis.call('INCRBY', P .. ':total', pairsInAll)

local base = lane * laneStep + redis.call('INCRBY', P .. ':seq', #items) - #items
local keyed = false
local rows = {}
for index, item in ipairs(items) do
  local itemKey = P .. ':i:' .. item.id
  local about = {'b', batchId, 'e', item.text, 'm', item.mode, 't', item.accepted, 'x', item.expires, 'n', #open}
  if string.sub(batchFields.who or '', 1, 5) == 'rule ' then
    about[#about + 1] = 'r'
    about[#about + 1] = '1'
  end
  if item.key ~= '' then
    keyed = true
    about[#about + 1] = 'k'
    about[#about + 1] = item.key
  end
  if #open <= 64 then
    about[#about + 1] = 'c'
    about[#about + 1] = table.concat(open, ' ')
  end
  redis.call('HSET', itemKey, unpack(about))
  redis.call('ZADD', P .. ':expiry', item.expires, item.id)
  if lane == 2 then redis.call('ZADD', P .. ':bulk', base + index, item.id) end
  rows[#rows + 1] = base + index
  rows[#rows + 1] = item.id
end

-- The newer item takes the place of the older one, or a better one of its own.
local function addKeyed(channel, queue)
  for index, item in ipairs(items) do
    local score = base + index
    if item.key ~= '' then
      local keys = P .. ':k:' .. channel
      local older = redis.call('HGET', keys, item.key)
      local oldScore = older and redis.call('ZSCORE', queue, older)
      if oldScore then
        score = math.min(score, tonumber(oldScore))
        finish(channel, older, 'conflated')
      end
      redis.call('HSET', keys, item.key, item.id)
    end
    redis.call('ZADD', queue, score, item.id)
  end
end

local function pushOutBulk(channel, queue)
  local over = redis.call('ZCARD', queue) - channelLimit
  if over <= 0 then return end
  local sending = redis.call('GET', P .. ':f:' .. channel) or ''
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', queue, 2 * laneStep, '+inf', 'LIMIT', 0, over + #words(sending))) do
    if over <= 0 then break end
    if not string.find(sending, id, 1, true) and finish(channel, id, 'failed', 'OUTBOX_FULL') then over = over - 1 end
  end
end

-- A channel in trouble is tried again before what is new expires, and at once for what is urgent, if its last answer leaves it.
local later = P .. ':later'
local someLater, wantedAt = redis.call('ZCARD', later) > 0, now
if lane > 0 then
  wantedAt = math.huge
  for _, item in ipairs(items) do wantedAt = math.min(wantedAt, tonumber(item.expires) - lastChanceMs) end
end
local function hasten(channel)
  local due = redis.call('ZSCORE', later, channel)
  if not due or tonumber(due) <= wantedAt then return end
  local notBefore = tonumber(redis.call('HGET', P .. ':s:' .. channel, 'notBefore') or 0)
  redis.call('ZADD', later, 'LT', string.format('%.0f', math.max(wantedAt, notBefore)), channel)
end

local ready, held, heldNone = P .. ':ready', P .. ':holder', redis.call('HLEN', P .. ':holder') == 0
for position, channel in ipairs(open) do
  local queue = P .. ':q:' .. channel
  if keyed then addKeyed(channel, queue) else redis.call('ZADD', queue, unpack(rows)) end
  if sizes[position] + #items > channelLimit then pushOutBulk(channel, queue) end
  if sizes[position] > 0 then
    redis.call('ZADD', ready, 'XX', 'LT', base + 1, channel)
    if someLater then hasten(channel) end
  elseif heldNone or redis.call('HEXISTS', held, channel) == 0 then redis.call('ZADD', ready, base + 1, channel) end
end
local counts = settle()
-- A user who may use no channel, as Redis makes them by default, must do without: everything is written by now, and an error would say
-- that it is not. Replicas look by themselves often enough.
redis.pcall('PUBLISH', P .. ':wake', batchFields.lane .. ' ' .. ARGV[10])
local surplus = tonumber(redis.call('GET', P .. ':total')) - totalLimit
if surplus > 0 and lane < 2 then
  for _, id in ipairs(oldestBulk(surplus, {}) or {}) do giveUp(id, 'displaced') end
end
return {'accepted', counts, #open, before, #full, unpack(full, 1, 20)}
`);
