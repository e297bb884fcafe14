// What all scripts of the outbox share: the names of its keys, and the one function that removes an item from a channel.
//
// Keys, each after the prefix (KEYS[1]):
//   :q:<channel>   sorted set: ids of the items that wait or are being sent; score = lane * 2^50 + sequence number
//   :k:<channel>   hash: conflation key -> id of the item that waits under it (never one that is being sent)
//   :f:<channel>   the ids in the call that is being sent, written before it is sent
//   :s:<channel>   hash, only in trouble: failed attempts, since when it is not broadcasting, time of the next try
//   :i:<id>        hash: one item of a batch, stored once: encoded text, batch, key, accepted and expiry times, channels left;
//                  w, where it comes from in a trace; r, if a rule sends it; p, if the outcome of each channel is kept separately; o, once it must no longer be sent: cancelled or displaced
//   :b:<batch>     hash: a batch: how many items on how many channels, who was left out, and how many ended in which outcome
//   :ends:<batch>  hash, of a batch with parts: channel id -> how its item ended, when and why, or what waits there: '- <item> <channel>'
//   :ready :later :held   sorted sets of channels: by lane and turn; by due time; by end of the lease.   :holder  hash of tokens, each used once
//   :expiry        sorted set: item ids by expiry       :bulk  sorted set: bulk item ids by age
//   :batches       sorted set: ids of the newest batches by start, at most 200
//   :ended         list: ids of finished batches whose jobs do not have the outcome yet, the oldest first
//   :finished      sorted set: ids of finished batches by their end; the oldest go when there are too many
//   :parts :ended-parts   counter of all parts of finished batches so far, and a sorted set of those batches by it: the oldest go when
//                  they have too many parts
//   :total         waiting items over all channels, without those that are marked as cancelled or displaced      :seq  counter     :idem:<key>  hash: the request and the batch that a key stands for, or the part of a batch
//
// INVARIANTS. A channel whose queue is not empty is in exactly one of ready, later and held; one that is in ready or later has a
// queue that is not empty. An item leaves a queue only in `finish`, where ZREM tells whether it was there, so it is counted
// once, however often and by whom it is tried. What is sent stays in its queue until the answer is recorded: a crash repeats, never loses.
export const outboxLua = `
local P = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local laneStep = 1125899906842624
-- What waits for a channel in trouble is tried once more so long before it expires.
local lastChanceMs = 1000
local known, ended = {}, {}

local function words(text)
  local list = {}
  for word in string.gmatch(text, '%S+') do list[#list + 1] = word end
  return list
end

-- The name of a channel's part of a batch: the channel's id.
local function partOf(channel)
  return string.match(channel, '[^/]+$') or channel
end

local function laneOf(score)
  return math.floor(tonumber(score) / laneStep)
end

-- A count that is no number begins anew: one damaged record must not keep all others from being settled.
local function add(key, field, by)
  local n = redis.pcall('HINCRBY', key, field, by)
  if type(n) ~= 'table' then return n end
  redis.call('HSET', key, field, by)
  return by
end

-- Ends one item of a channel, if it has not ended yet. 'settle' must follow before the script answers.
local function finish(channel, id, outcome, reason)
  if redis.call('ZREM', P .. ':q:' .. channel, id) == 0 then return false end
  local item = known[id]
  if not item then
    item = redis.call('HMGET', P .. ':i:' .. id, 'b', 'k', 'o', 'p')
    known[id] = item
  end
  if item[4] and item[1] then
    redis.call('HSET', P .. ':ends:' .. item[1], partOf(channel), outcome .. ' ' .. now .. ' ' .. (reason or ''))
  end
  if item[2] then
    local keys = P .. ':k:' .. channel
    if redis.call('HGET', keys, item[2]) == id then redis.call('HDEL', keys, item[2]) end
  end
  local as = outcome .. ' ' .. (reason or '')
  local tally = ended[id]
  if not tally then
    tally = {}
    ended[id] = tally
  end
  tally[as] = (tally[as] or 0) + 1
  return true
end

-- What a finished batch leaves beside its record.
local function forgetBatch(id)
  local known = redis.call('HMGET', P .. ':b:' .. id, 'idem', 'parts')
  local keys = words(known[2] or '')
  if known[1] then keys[#keys + 1] = known[1] end
  for _, key in ipairs(keys) do
    if redis.call('HGET', P .. ':idem:' .. key, 'batch') == id then redis.call('DEL', P .. ':idem:' .. key) end
  end
  redis.call('DEL', P .. ':b:' .. id, P .. ':ends:' .. id)
end

-- A batch is over: it is kept for its time, but only so many of them are; what its key stands for goes with it.
local function endBatch(id)
  local batch, finished = P .. ':b:' .. id, P .. ':finished'
  local keep = redis.call('HMGET', batch, 'keepMs', 'keepMost', 'keepParts')
  redis.call('HSET', batch, 'finishedAt', now)
  redis.call('HDEL', batch, 'items')
  if redis.call('HEXISTS', batch, 'job') == 1 then
    redis.call('RPUSH', P .. ':ended', id)
    redis.call('LTRIM', P .. ':ended', -10000, -1)
  end
  redis.call('PEXPIRE', batch, tonumber(keep[1] or '') or 3600000)
  redis.call('PEXPIRE', P .. ':ends:' .. id, tonumber(keep[1] or '') or 3600000)
  local parts = redis.call('HLEN', P .. ':ends:' .. id)
  if parts > 0 then
    local upTo = redis.call('INCRBY', P .. ':parts', parts)
    redis.call('ZADD', P .. ':ended-parts', upTo, id)
    local tooOld = upTo - (tonumber(keep[3] or '') or 50000)
    for _, oldest in ipairs(redis.call('ZRANGEBYSCORE', P .. ':ended-parts', '-inf', tooOld)) do forgetBatch(oldest) end
    redis.call('ZREMRANGEBYSCORE', P .. ':ended-parts', '-inf', tooOld)
  end
  -- Two of the same millisecond keep their order.
  local newest = redis.call('ZREVRANGE', finished, 0, 0, 'WITHSCORES')[2]
  redis.call('ZADD', finished, newest and math.max(now, tonumber(newest) + 0.001) or now, id)
  local surplus = redis.call('ZCARD', finished) - (tonumber(keep[2] or '') or 200)
  if surplus <= 0 then return end
  for _, oldest in ipairs(redis.call('ZRANGE', finished, 0, surplus - 1)) do forgetBatch(oldest) end
  redis.call('ZREMRANGEBYRANK', finished, 0, surplus - 1)
end

-- Counts what 'finish' ended, once for each item however many channels it left. Returns {outcome, n, outcome, n, …}.
local function settle()
  local counts, all = {}, 0
  for id, tally in pairs(ended) do
    local batch = known[id][1] and P .. ':b:' .. known[id][1]
    local left = 0
    for as, n in pairs(tally) do
      local outcome, reason = string.match(as, '^(%S+) (%S*)$')
      counts[outcome] = (counts[outcome] or 0) + n
      left = left + n
      if batch then
        add(batch, outcome, n)
        if reason ~= '' then add(batch, 'reason:' .. reason, n) end
      end
    end
    if not known[id][3] then all = all + left end
    if batch then
      if add(P .. ':i:' .. id, 'n', -left) <= 0 then
        redis.call('DEL', P .. ':i:' .. id)
        redis.call('ZREM', P .. ':expiry', id)
        redis.call('ZREM', P .. ':bulk', id)
      end
      if add(batch, 'pending', -left) <= 0 then endBatch(known[id][1]) end
    end
  end
  if all > 0 then redis.call('DECRBY', P .. ':total', all) end
  ended = {}
  local list = {}
  for outcome, n in pairs(counts) do
    list[#list + 1] = outcome
    list[#list + 1] = n
  end
  return list
end

-- Marks an item as not to be sent any more, unless it is already: from now on it takes no room. Whoever comes to it next, a drain or
-- a sweep, ends it. Returns how many channels had it.
local function giveUp(id, mark)
  local item = P .. ':i:' .. id
  local n = tonumber(redis.call('HGET', item, 'n') or '0') or 0
  if n <= 0 or redis.call('HSETNX', item, 'o', mark) == 0 then return 0 end
  redis.call('ZADD', P .. ':expiry', 0, id)
  redis.call('ZREM', P .. ':bulk', id)
  redis.call('DECRBY', P .. ':total', n)
  return n
end

-- Takes back what was marked as being sent: it waits again at its place, unless it was cancelled alone meanwhile, or a newer item took
-- over its key.
local function unmark(channel)
  local marker = redis.call('GET', P .. ':f:' .. channel)
  if not marker then return end
  redis.call('DEL', P .. ':f:' .. channel)
  local queue = P .. ':q:' .. channel
  for _, id in ipairs(words(marker)) do
    local place = redis.call('ZSCORE', queue, id)
    local item = place and redis.call('HMGET', P .. ':i:' .. id, 'k', 'p', 'b') or {}
    local key = item[1]
    local stands = item[2] and item[3] and redis.call('HGET', P .. ':ends:' .. item[3], partOf(channel))
    if stands and string.sub(stands, 1, 1) == '!' then finish(channel, id, 'cancelled')
    elseif key then
      local newer = redis.call('HGET', P .. ':k:' .. channel, key)
      if not newer then
        redis.call('HSET', P .. ':k:' .. channel, key, id)
      elseif newer ~= id then
        finish(channel, id, 'conflated')
        redis.call('ZADD', queue, 'XX', 'LT', place, newer)
      end
    end
  end
end

-- Puts a channel where it belongs after its holder is done with it. Returns its lane + 1 if the holder keeps it, -1 if it is ready
-- for whoever claims it next, otherwise 0.
local function place(channel, delayMs, keep)
  local head = redis.call('ZRANGE', P .. ':q:' .. channel, 0, 0, 'WITHSCORES')
  if #head > 0 and delayMs <= 0 and keep and redis.call('ZCARD', P .. ':ready') == 0 then
    return laneOf(head[2]) + 1
  end
  redis.call('ZREM', P .. ':held', channel)
  redis.call('HDEL', P .. ':holder', channel)
  if #head == 0 then
    redis.call('DEL', P .. ':s:' .. channel)
  elseif delayMs > 0 then
    redis.call('ZADD', P .. ':later', now + delayMs, channel)
  else
    redis.call('ZADD', P .. ':ready', laneOf(head[2]) * laneStep + redis.call('INCR', P .. ':seq'), channel)
    return -1
  end
  return 0
end

-- Takes a channel out of the line that has nothing to wait with any more, unless somebody holds it and puts it where it belongs.
local function leaveIfEmpty(channel)
  if redis.call('ZCARD', P .. ':q:' .. channel) > 0 or redis.call('HEXISTS', P .. ':holder', channel) == 1 then return end
  redis.call('ZREM', P .. ':ready', channel)
  redis.call('ZREM', P .. ':later', channel)
  redis.call('DEL', P .. ':s:' .. channel)
end

-- An item that must not be sent any more, and what it ends as.
local function deadAs(item)
  if item.mark == 'displaced' then return 'failed', 'OUTBOX_FULL' end
  if item.mark and string.match(item.mark, '^%a+$') then return item.mark end
  local expires = tonumber(item.expires or '')
  if item.mark or not expires then return 'failed', 'STORED_RECORD_ODD' end
  if now >= expires then return 'expired' end
end
`;
