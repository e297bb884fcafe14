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

// Items that are to be ended without being sent, at most so many: {id, channels that have it or '', id, …}; '' when there are many.
const dueLua = `
local function dueItems(most)
  local answer = {}
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. ':expiry', '-inf', now, 'LIMIT', 0, most)) do
    local channels = redis.call('HMGET', P .. ':i:' .. id, 'c', 'b')
    if not channels[2] then redis.call('ZREM', P .. ':expiry', id)
    else
      answer[#answer + 1] = id
      answer[#answer + 1] = channels[1] or ''
    end
  end
  return answer
end
`;

/** Due items. Arguments: most. Answers as `dueItems`. */
export const dueScript = script(`${outboxLua}${dueLua}
return dueItems(tonumber(ARGV[1]))
`);

/**
 * Takes the right to sweep, unless another replica has it. Arguments: for how many ms, most due items. Answers {1 or 0, due items of
 * whoever took it, items that wait, channels that are ready, later, held}.
 */
export const turnScript = script(`${outboxLua}${dueLua}
local mine = redis.call('SET', P .. ':sweeping', '1', 'PX', ARGV[1], 'NX')
return {mine and 1 or 0, mine and dueItems(tonumber(ARGV[2])) or {}, tonumber(redis.call('GET', P .. ':total') or '') or 0,
  redis.call('ZCARD', P .. ':ready'), redis.call('ZCARD', P .. ':later'), redis.call('ZCARD', P .. ':held')}
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
