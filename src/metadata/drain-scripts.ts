// The steps of draining a channel: claim it, take what goes into the next call, record the answer; and renew a lease.
import { outboxLua } from './outbox-lua.ts';
import { script } from './script.ts';

// What goes into a channel's next call: the first items, as many as fit; they are marked as being sent. Items that must no longer be sent
// end. 'spared' is the reason why rules must leave the channel alone, or '': with a reason, the items of rules are cancelled.
// Returns a parcel, {mode, ids, texts, accepted times, ms until all of it has expired, places in traces}, or nothing: then the channel was returned.
const chooseLua = `
local function choose(channel, most, bytes, spared)
  unmark(channel)
  local queue = P .. ':q:' .. channel
  local ids, texts, times, mode, left, traces = {}, {}, {}, '', 0, {}
  local ended, full = 0, false
  while not full and ended < 500 do
    local page = redis.call('ZRANGE', queue, #ids, #ids + 19)
    if #page == 0 then break end
    for _, id in ipairs(page) do
      local item = redis.call('HMGET', P .. ':i:' .. id, 'e', 'm', 't', 'x', 'o', 'r', 'w')
      local outcome, reason
      if not item[1] then outcome = 'expired'
      else
        outcome, reason = deadAs({mark = item[5], expires = item[4]})
        if not outcome and not (item[2] and tonumber(item[3] or '')) then outcome, reason = 'failed', 'STORED_RECORD_ODD' end
      end
      if not outcome and item[6] and spared ~= '' then outcome, reason = 'cancelled', spared end
      if outcome then
        finish(channel, id, outcome, reason)
        ended = ended + 1
      else
        local more = #item[1] + (#ids > 0 and 1 or 0)
        if #ids > 0 and (mode == 'plain' or item[2] ~= mode or bytes + more > most) then full = true break end
        bytes = bytes + more
        mode = item[2]
        ids[#ids + 1], texts[#texts + 1], times[#times + 1] = id, item[1], item[3]
        left = math.max(left, tonumber(item[4]) - now)
        if item[7] then traces[#traces + 1] = item[7] end
      end
    end
  end
  if #ids == 0 then
    place(channel, 0, false)
    return nil
  end
  redis.call('SET', P .. ':f:' .. channel, table.concat(ids, ' '))
  for _, id in ipairs(ids) do
    local key = redis.call('HGET', P .. ':i:' .. id, 'k')
    if key and redis.call('HGET', P .. ':k:' .. channel, key) == id then redis.call('HDEL', P .. ':k:' .. channel, key) end
  end
  return {mode, ids, texts, times, left, traces}
end
`;

/**
 * Arguments: lease in ms, channels wanted, more channels wanted if they are urgent, token of the leases; for how many of the urgent
 * ones to choose at once what goes into their call, most bytes of a call, bytes of an empty envelope.
 * Answers: {counts, channels found, channel, lane, parcel or {}, channel, lane, parcel or {}, …}, without those found in which nothing is
 * left to send; first frees the channels of leases that have ended.
 */
export const claimScript = script(`${outboxLua}${chooseLua}
local lease, room, urgentRoom, token = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local chosenAtOnce, most, bytes = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
for _, channel in ipairs(redis.call('ZRANGEBYSCORE', P .. ':held', '-inf', now, 'LIMIT', 0, 200)) do
  unmark(channel)
  place(channel, 0, false)
end
for _, channel in ipairs(redis.call('ZRANGEBYSCORE', P .. ':later', '-inf', now, 'LIMIT', 0, 500)) do
  redis.call('ZREM', P .. ':later', channel)
  place(channel, 0, false)
end
local chosen = redis.call('ZRANGEBYSCORE', P .. ':ready', '-inf', '(' .. string.format('%.0f', laneStep),
  'WITHSCORES', 'LIMIT', 0, room + urgentRoom)
if room * 2 > #chosen then chosen = redis.call('ZRANGE', P .. ':ready', 0, room - 1, 'WITHSCORES') end
local answer = {{}, #chosen / 2}
for index = 1, #chosen, 2 do
  local channel, lane = chosen[index], laneOf(chosen[index + 1])
  redis.call('ZREM', P .. ':ready', channel)
  redis.call('ZADD', P .. ':held', now + lease, channel)
  redis.call('HSET', P .. ':holder', channel, token)
  local parcel = {}
  if lane == 0 and index < chosenAtOnce * 2 then parcel = choose(channel, most, bytes, '') end
  if parcel then
    answer[#answer + 1] = channel
    answer[#answer + 1] = lane
    answer[#answer + 1] = parcel
  end
end
answer[1] = settle()
return answer
`);

/**
 * Arguments: most bytes of a call, bytes of an empty envelope; then for each channel itself, the token of its lease, and why rules must
 * leave it alone (or '').
 * Answers: {counts, parcel, parcel, …}, instead of a parcel, {} if nothing is left to send and {'lost'} if another replica has the lease.
 */
export const takeScript = script(`${outboxLua}${chooseLua}
local answer = {{}}
for index = 3, #ARGV, 3 do
  local channel = ARGV[index]
  if redis.call('HGET', P .. ':holder', channel) ~= ARGV[index + 1] then answer[#answer + 1] = {'lost'}
  else answer[#answer + 1] = choose(channel, tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[index + 2]) or {} end
end
answer[1] = settle()
return answer
`);

/**
 * Arguments, for each of some calls: channel, token, whether the holder would continue, ids of the call, why it
 * is not known whether the call took effect (or ''), then how it ended: one word and five arguments, '' where unused:
 *   delivered
 *   failed <code> <call | channel>              the items of the call, or all that wait for the channel
 *   retry <base ms> <most ms> <share 0..1> <least ms>   all items stay; the retry waits for this backoff, at most until shortly before
 *                                                       one of the first items expires
 *   offline <base ms> <most ms> <share 0..1> <least ms> <window ms>   not broadcasting: the same, and items end that have waited
 *                                                       for the window since it was accepted or the channel went offline
 *   back                                        nothing was sent
 * Answers: {counts, now, for each call: lane + 1 if the holder keeps the channel, -1 if it is back in line, or 0}
 */
export const recordScript = script(`${outboxLua}
local function record(channel, token, keep, ids, unsure, kind, rest)
  local queue, trouble = P .. ':q:' .. channel, P .. ':s:' .. channel
  local mine = redis.call('HGET', P .. ':holder', channel) == token
  local delayMs = 0

  local function backoff()
    local base, most, share, least = tonumber(rest[1]), tonumber(rest[2]), tonumber(rest[3]), tonumber(rest[4])
    local attempts = redis.call('HINCRBY', trouble, 'attempts', 1)
    local full = math.min(most, base * 2 ^ math.min(attempts - 1, 30))
    local delay = full / 2 + full / 2 * share
    for _, id in ipairs(redis.call('ZRANGE', queue, 0, 19)) do
      local expires = tonumber(redis.call('HGET', P .. ':i:' .. id, 'x'))
      if expires and expires > now then delay = math.min(delay, expires - lastChanceMs - now) end
    end
    least = math.max(1, least, base / 2)
    redis.call('HSET', trouble, 'notBefore', string.format('%.0f', now + least))
    return math.floor(math.max(delay, least))
  end

  local function endAll(outcome, reason)
    for _, id in ipairs(redis.call('ZRANGE', queue, 0, -1)) do finish(channel, id, outcome, reason) end
  end

  if kind == 'delivered' then
    -- True whoever holds the channel by now: the answer arrived.
    for _, id in ipairs(ids) do finish(channel, id, 'delivered') end
    if mine then redis.call('DEL', trouble) end
  elseif mine and kind == 'failed' then
    if rest[2] == 'channel' then endAll('failed', rest[1])
    else for _, id in ipairs(ids) do finish(channel, id, 'failed', rest[1]) end end
  elseif mine and kind == 'offline' then
    local window, over = tonumber(rest[5]), 0
    local since = tonumber(redis.call('HGET', trouble, 'offlineSince') or now) or now
    for _, id in ipairs(redis.call('ZRANGE', queue, 0, -1)) do
      local ends = math.max(since, tonumber(redis.call('HGET', P .. ':i:' .. id, 't') or 0) or 0) + window
      if ends <= now then finish(channel, id, 'notBroadcasting') else over = math.max(over, ends) end
    end
    if over > 0 then
      redis.call('HSET', trouble, 'offlineSince', since)
      delayMs = math.min(backoff(), over - now)
    end
  elseif mine and kind == 'retry' then
    delayMs = backoff()
  end
  -- What expired in the call is over: it may have arrived, and that is told.
  if mine and unsure ~= '' then
    for _, id in ipairs(ids) do
      local expires = tonumber(redis.call('HGET', P .. ':i:' .. id, 'x'))
      if expires and now >= expires then finish(channel, id, 'expired', unsure) end
    end
  end
  if not mine then
    leaveIfEmpty(channel)
    return 0
  end
  unmark(channel)
  return place(channel, delayMs, keep)
end

local answer = {{}, now}
for at = 1, #ARGV, 11 do
  local rest = {ARGV[at + 6], ARGV[at + 7], ARGV[at + 8], ARGV[at + 9], ARGV[at + 10]}
  answer[#answer + 1] = record(ARGV[at], ARGV[at + 1], ARGV[at + 2] == '1', words(ARGV[at + 3]), ARGV[at + 4], ARGV[at + 5], rest)
end
answer[1] = settle()
return answer
`);

/** Arguments: lease in ms, then channel and token of each lease. Answers the channels that another replica has leased meanwhile. */
export const renewScript = script(`${outboxLua}
local lost = {}
for index = 2, #ARGV, 2 do
  if redis.call('HGET', P .. ':holder', ARGV[index]) == ARGV[index + 1] then
    redis.call('ZADD', P .. ':held', now + tonumber(ARGV[1]), ARGV[index])
  else lost[#lost + 1] = ARGV[index] end
end
return lost
`);

/** Arguments: channels. Answers the lane of the first item of each; -1 where nothing waits. */
export const lanesScript = script(`${outboxLua}
local lanes = {}
for index, channel in ipairs(ARGV) do
  local head = redis.call('ZRANGE', P .. ':q:' .. channel, 0, 0, 'WITHSCORES')
  lanes[index] = head[2] and laneOf(head[2]) or -1
end
return lanes
`);
