// Ends items that will not be sent: cancelled, displaced or expired ones that no drain has reached yet.
import { outboxLua } from './outbox-lua.ts';
import { script } from './script.ts';

/**
 * Marks the unsent items of a batch as cancelled. Arguments: batch.
 * Answers 1, or 0 when there is no such batch. Items that are being sent are not taken back.
 */
export const cancelScript = script(`${outboxLua}
local batch = P .. ':b:' .. ARGV[1]
if redis.call('EXISTS', batch) == 0 then return 0 end
if redis.call('HEXISTS', batch, 'finishedAt') == 1 then return 1 end
redis.call('HSETNX', batch, 'cancelledAt', now)
for _, id in ipairs(words(redis.call('HGET', batch, 'items'))) do giveUp(id, 'cancelled') end
return 1
`);

/**
 * Ends one part of a batch. An item that is being sent is not taken back, but is not sent again. Arguments: batch, part. Answers {1,
 * counts}, or {0, {}} when there is no such part.
 */
export const cancelPartScript = script(`${outboxLua}
local stands = redis.call('HGET', P .. ':ends:' .. ARGV[1], ARGV[2])
if not stands or redis.call('EXISTS', P .. ':b:' .. ARGV[1]) == 0 then return {0, {}} end
local id, channel = string.match(stands, '^[-!] (%S+) (%S+)$')
if id then
  local sending = redis.call('GET', P .. ':f:' .. channel) or ''
  local item = redis.call('HMGET', P .. ':i:' .. id, 'x', 'o')
  local outcome, reason = deadAs({mark = item[2], expires = item[1]})
  if string.find(sending, id, 1, true) then redis.call('HSET', P .. ':ends:' .. ARGV[1], ARGV[2], '! ' .. id .. ' ' .. channel)
  elseif finish(channel, id, outcome or 'cancelled', reason) then leaveIfEmpty(channel) end
end
return {1, settle()}
`);

/**
 * Expired items. Arguments: most. Answers {id, channels that have it or '', id, …}; '' when there are many.
 */
export const dueScript = script(`${outboxLua}
local answer = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. ':expiry', '-inf', now, 'LIMIT', 0, tonumber(ARGV[1]))) do
  local channels = redis.call('HMGET', P .. ':i:' .. id, 'c', 'b')
  if not channels[2] then redis.call('ZREM', P .. ':expiry', id)
  else
    answer[#answer + 1] = id
    answer[#answer + 1] = channels[1] or ''
  end
end
return answer
`);

/** Ends dead items on some channels, except those being sent. Arguments: channels, ids. Answers counts. */
export const sweepScript = script(`${outboxLua}
local ids = words(ARGV[2])
local outcomeOf = {}
for _, id in ipairs(ids) do
  local item = redis.call('HMGET', P .. ':i:' .. id, 'x', 'o')
  if item[1] then
    local outcome, reason = deadAs({mark = item[2], expires = item[1]})
    if outcome then outcomeOf[id] = {outcome, reason} end
  end
end
for _, channel in ipairs(words(ARGV[1])) do
  local sending = redis.call('GET', P .. ':f:' .. channel) or ''
  local removed = false
  for id, as in pairs(outcomeOf) do
    if not string.find(sending, id, 1, true) and finish(channel, id, as[1], as[2]) then removed = true end
  end
  if removed then leaveIfEmpty(channel) end
end
return settle()
`);
