// Accepts a batch in one script, so that it is accepted for all of its channels or for none. A batch is made of groups, each with some
// items for some channels; no channel is in two groups. A batch with parts (the fan-out of a rule) has one key for each channel instead of
// one for the whole: a channel whose key was used before, or whose queue has no room, is left out and named.
import { publishLua } from '#runtime/redis-channel.ts';
import { channelListLua } from './channel-list.ts';
import { headStartLua } from './head-start.ts';
import { outboxLua } from './outbox-lua.ts';
import { script } from './script.ts';

/**
 * Arguments: idempotency key (or ''), hash of the request ('': any request matches), how long to keep it; batch id, fields of the batch
 * as JSON; lane; limits per channel and in total; the drain that need not be woken; of a head start (head-start.ts), or
 * '': the queue, the job, older jobs (words), accepted jobs with their batches (words); count of groups; then for each group its channels (channel-list.ts), the keys of their parts (words, or ''), count of items, and id, text, mode, key, accepted at and expires
 * in for each item.
 * Answers: {'accepted', counts, channels with room, channels where items waited already, channels without, up to 20 of those …} · {'repeated', batch id, its fields} · {'conflict'} ·
 * {'full', 'total' | 'channel', waiting} · {'id_taken'} · {'overtakes'} · of a batch with parts {'parts', counts, channels accepted, places of those
 * without room, places of those accepted before}, places counted from 1 over all groups
 */
export const acceptScript = script(`${outboxLua}${channelListLua}${headStartLua}${publishLua}
local idem, hash, idemMs = ARGV[1], ARGV[2], ARGV[3]
local batchId, batchFields, lane = ARGV[4], cjson.decode(ARGV[5]), tonumber(ARGV[6])
local channelLimit, totalLimit, origin = tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9]
if ARGV[10] ~= '' and not mayGoFirst(ARGV[10], ARGV[11], ARGV[12], ARGV[13]) then return {'overtakes'} end

local groups, at, hasParts, itemsInAll = {}, 15, false, 0
for _ = 1, tonumber(ARGV[14]) do
  local group = {channels = unpackChannels(ARGV[at]), keys = words(ARGV[at + 1]), items = {}}
  hasParts = hasParts or #group.keys > 0
  for index = 1, tonumber(ARGV[at + 2]) do
    local from = at + 3 + (index - 1) * 6
    group.items[index] = {id = ARGV[from], text = ARGV[from + 1], mode = ARGV[from + 2], key = ARGV[from + 3],
      accepted = ARGV[from + 4], expires = string.format('%.0f', now + tonumber(ARGV[from + 5]))}
  end
  at = at + 3 + #group.items * 6
  itemsInAll = itemsInAll + #group.items
  groups[#groups + 1] = group
end

if idem ~= '' then
  local known = redis.call('HMGET', P .. ':idem:' .. idem, 'hash', 'batch')
  local fields = known[2] and redis.call('HGETALL', P .. ':b:' .. known[2]) or {}
  if #fields > 0 then
    if hash == '' or known[1] == hash then return {'repeated', known[2], fields} end
    return {'conflict'}
  end
end

for _, group in ipairs(groups) do
  for _, item in ipairs(group.items) do
    if redis.call('EXISTS', P .. ':i:' .. item.id) == 1 then return {'id_taken'} end
  end
end

-- The group that the functions below are about.
local items, keyOf, distinct
local function turnTo(group)
  items, keyOf, distinct = group.items, {}, #group.items
  for _, item in ipairs(items) do
    if item.key ~= '' then
      if keyOf[item.key] then distinct = distinct - 1 end
      keyOf[item.key] = true
    end
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
local openInAll, pairsInAll, place, full, fullAt, repeatedAt = 0, 0, 0, {}, {}, {}
for _, group in ipairs(groups) do
  turnTo(group)
  group.open, group.sizes, group.openKeys = {}, {}, {}
  for index, channel in ipairs(group.channels) do
    place = place + 1
    local key = group.keys[index]
    local known = key and redis.call('HGET', P .. ':idem:' .. key, 'batch')
    if known and redis.call('EXISTS', P .. ':b:' .. known) == 1 then repeatedAt[#repeatedAt + 1] = place
    else
      local size = redis.call('ZCARD', P .. ':q:' .. channel)
      local over = size + #items - channelLimit
      if over > 0 then
        local _
        _, over = leaving(channel, size)
      end
      if over > 0 then
        full[#full + 1] = channel
        fullAt[#fullAt + 1] = place
      else
        group.open[#group.open + 1] = channel
        group.sizes[#group.open] = size
        group.openKeys[#group.open] = key
      end
    end
  end
  openInAll = openInAll + #group.open
  pairsInAll = pairsInAll + #group.open * #items
end
if hasParts and openInAll == 0 then return {'parts', {}, 0, fullAt, repeatedAt} end
if place > 0 and openInAll == 0 then return {'full', 'channel', channelLimit} end

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
if total + pairsInAll > totalLimit then
  local over, gone, takesRoom = total - totalLimit, {}, {}
  for _, group in ipairs(groups) do
    turnTo(group)
    over = over + #group.open * distinct
    for position, channel in ipairs(group.open) do
      for _, id in ipairs((leaving(channel, group.sizes[position]))) do
        if takesRoom[id] == nil then takesRoom[id] = redis.call('HEXISTS', P .. ':i:' .. id, 'o') == 0 end
        if takesRoom[id] then
          gone[id] = (gone[id] or 0) + 1
          over = over - 1
        end
      end
    end
  end
  if over > 0 and (lane == 2 or not oldestBulk(over, gone)) then return {'full', 'total', total} end
end

if idem ~= '' then
  redis.call('HSET', P .. ':idem:' .. idem, 'hash', hash, 'batch', batchId)
  redis.call('PEXPIRE', P .. ':idem:' .. idem, idemMs)
end

local batch = P .. ':b:' .. batchId
local before = redis.call('ZCARD', P .. ':ready') + redis.call('ZCARD', P .. ':later') + redis.call('ZCARD', P .. ':held')
local fields = {'channels', openInAll, 'channelsBefore', before, 'total', pairsInAll, 'pending', pairsInAll, 'startedAt', now,
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
  return {'accepted', {}, openInAll, before, #full, unpack(full, 1, 20)}
end
redis.call('INCRBY', P .. ':total', pairsInAll)

local base = lane * laneStep + redis.call('INCRBY', P .. ':seq', itemsInAll) - itemsInAll
for _, group in ipairs(groups) do
  turnTo(group)
  local open = group.open
  group.base, group.keyed, group.rows = base, false, {}
  for index, item in ipairs(items) do
    local itemKey = P .. ':i:' .. item.id
    local about = {'b', batchId, 'e', item.text, 'm', item.mode, 't', item.accepted, 'x', item.expires, 'n', #open}
    if string.sub(batchFields.who or '', 1, 5) == 'rule ' then
      about[#about + 1] = 'r'
      about[#about + 1] = '1'
    end
    if batchFields.trace then
      about[#about + 1] = 'w'
      about[#about + 1] = batchFields.trace
    end
    if hasParts then
      about[#about + 1] = 'p'
      about[#about + 1] = '1'
    end
    if item.key ~= '' then
      group.keyed = true
      about[#about + 1] = 'k'
      about[#about + 1] = item.key
    end
    if #open <= 64 then
      about[#about + 1] = 'c'
      about[#about + 1] = table.concat(open, ' ')
    end
    if #open > 0 then
      redis.call('HSET', itemKey, unpack(about))
      redis.call('ZADD', P .. ':expiry', item.expires, item.id)
      if lane == 2 then redis.call('ZADD', P .. ':bulk', base + index, item.id) end
    end
    group.rows[#group.rows + 1] = base + index
    group.rows[#group.rows + 1] = item.id
  end
  base = base + #items
end

-- Each part is found by its key, and its end is kept by itself.
if hasParts then
  local keys, ends = {}, {}
  for _, group in ipairs(groups) do
    for position, channel in ipairs(group.open) do
      local key, part = group.openKeys[position], partOf(channel)
      keys[#keys + 1] = key
      redis.call('HSET', P .. ':idem:' .. key, 'hash', '', 'batch', batchId, 'part', part)
      redis.call('PEXPIRE', P .. ':idem:' .. key, idemMs)
      ends[#ends + 1] = part
      ends[#ends + 1] = '- ' .. group.items[1].id .. ' ' .. channel
      if #ends >= 1000 then
        redis.call('HSET', P .. ':ends:' .. batchId, unpack(ends))
        ends = {}
      end
    end
  end
  if #ends > 0 then redis.call('HSET', P .. ':ends:' .. batchId, unpack(ends)) end
  redis.call('HSET', batch, 'parts', table.concat(keys, ' '))
end

-- The newer item takes the place of the older one, or a better one of its own.
local function addKeyed(channel, queue, base)
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
  for _, group in ipairs(groups) do
    for _, item in ipairs(group.items) do wantedAt = math.min(wantedAt, tonumber(item.expires) - lastChanceMs) end
  end
end
local function hasten(channel)
  local due = redis.call('ZSCORE', later, channel)
  if not due or tonumber(due) <= wantedAt then return end
  local notBefore = tonumber(redis.call('HGET', P .. ':s:' .. channel, 'notBefore') or 0)
  redis.call('ZADD', later, 'LT', string.format('%.0f', math.max(wantedAt, notBefore)), channel)
end

local ready, held, heldNone = P .. ':ready', P .. ':holder', redis.call('HLEN', P .. ':holder') == 0
for _, group in ipairs(groups) do
  turnTo(group)
  local first = group.base + 1
  for position, channel in ipairs(group.open) do
    local queue, size = P .. ':q:' .. channel, group.sizes[position]
    if group.keyed then addKeyed(channel, queue, group.base) else redis.call('ZADD', queue, unpack(group.rows)) end
    if size + #items > channelLimit then pushOutBulk(channel, queue) end
    if size > 0 then
      redis.call('ZADD', ready, 'XX', 'LT', first, channel)
      if someLater then hasten(channel) end
    elseif heldNone or redis.call('HEXISTS', held, channel) == 0 then redis.call('ZADD', ready, first, channel) end
  end
end
local counts = settle()
-- A user who may use no channel, as Redis makes them by default, must do without: everything is written by now, and an error would say
-- that it is not. Replicas look by themselves often enough.
publish(P .. ':wake', batchFields.lane .. ' ' .. origin)
local surplus = tonumber(redis.call('GET', P .. ':total')) - totalLimit
if surplus > 0 and lane < 2 then
  for _, id in ipairs(oldestBulk(surplus, {}) or {}) do giveUp(id, 'displaced') end
end
if hasParts then return {'parts', counts, openInAll, fullAt, repeatedAt} end
return {'accepted', counts, openInAll, before, #full, unpack(full, 1, 20)}
`);
