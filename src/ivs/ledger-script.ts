// The ledger's only script. Redis runs it atomically, so that counting and granting stay consistent.
// Times inside are microseconds of Redis's own clock: whole numbers, exact in a double. Used by ledger.ts only.

/** Where the script's time comes from: Redis's clock, or (in tests) a key that contains microseconds. */
export type ScriptClock = { readonly kind: 'redis' } | { readonly kind: 'key'; readonly key: string };

/** Slots unused for this long are deleted; longer than any lease, so that no call is forgotten while it may still be counted. */
export const slotsLiveMs = 120_000;

/**
 * KEYS: 1 the shard's state (hash), 2 the operation's slots (sorted set), 3… slots of channels, and which channels are slowed down.
 * A slot in use is a member whose score is the time when it is free again; a member that starts with `~` is a slot that was
 * taken out of service after a throttle. ARGV[1]: the request as JSON (`ScriptInput`).
 * Answer: [epoch, time, wait for the fence, wait for the account, [send-after or -1 …], [channel's wait or 0 …], slots in use].
 */
export const ledgerScript = (clock: ScriptClock) => `
local input = cjson.decode(ARGV[1])
local state, slots = KEYS[1], KEYS[2]
${
  clock.kind === 'redis'
    ? `local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]`
    : `local now = tonumber(redis.call('GET', '${clock.key}'))`
}
local text = function(n) return string.format('%.0f', n) end
local op = input.op
local s = redis.call('HMGET', state, 'epoch', 'run', 'seen', 'fence', op .. ':sent', op .. ':urgent', op .. ':granted', op .. ':calls',
  op .. ':urgentAt', op .. ':urgentSent')
local epoch, fence = s[1], tonumber(s[4] or 0)

-- Fence: earlier grants are no longer known (empty ledger, another server process, a clock that stepped).
-- A new epoch has new keys; nothing is granted until every call of the old epoch must have been counted and forgotten.
if not epoch or s[2] ~= input.run or now < tonumber(s[3] or 0) - 1000000 or (input.stepped and input.epoch == epoch) then
  epoch, fence = text(now), now + input.patience
  redis.call('DEL', state)
  redis.call('HSET', state, 'epoch', epoch, 'run', input.run, 'fence', text(fence))
end
if epoch ~= input.epoch or now < fence then
  redis.call('HSET', state, 'seen', text(now))
  return {epoch, text(now), math.max(0, fence - now), 0, {}, {}, 0}
end

-- Answers: a slot is free one second after its answer. The answer came at most r.age ago, and at most at r.at, which is the replica's
-- estimate by our clock: it is a little more accurate, so it is used, but only within 5 ms. XX: a slot that lost its lease stays removed.
local calls = tonumber(s[8] or 0)
for _, r in ipairs(input.releases) do
  if r.hold > 0 then calls = calls + 1 end
  for _, key in ipairs(r.channel > 0 and {slots, KEYS[r.channel]} or {slots}) do
    local ended = math.min(now - r.age, math.max(r.at, now - r.age - 5000))
    if r.hold > 0 then redis.call('ZADD', key, 'XX', text(ended + r.hold), r.permit)
    else redis.call('ZREM', key, r.permit) end
  end
end

-- Throttled in spite of the permit: half of the slots in service are taken out, at most once a second, and come back one by one.
for _, t in ipairs(input.throttles) do
  redis.call('HINCRBY', state, op .. ':throttles', 1)
  redis.call('HSET', state, op .. ':throttled', text(now))
  for _, c in ipairs(t.cuts) do
    local key = KEYS[c.key]
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    local out = 0
    for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do
      if string.sub(member, 1, 1) == '~' then out = out + 1 end
    end
    local cut = math.floor((c.limit - out) / 2)
    if cut > 0 and not redis.call('ZSCORE', key, '~episode') then
      local back = now + 1000000
      redis.call('ZADD', key, text(back), '~episode')
      for i = 2, cut do
        back = now + 1000000 + (out + i - 1) * c.step
        redis.call('ZADD', key, text(back), '~' .. text(now) .. ':' .. i)
      end
      redis.call('PEXPIRE', key, ${slotsLiveMs})
      if c.channel then
        redis.call('ZREMRANGEBYSCORE', KEYS[c.slowed], '-inf', now)
        redis.call('ZADD', KEYS[c.slowed], 'GT', text(back), c.channel)
        redis.call('PEXPIRE', KEYS[c.slowed], ${slotsLiveMs})
      end
    end
  end
end

redis.call('ZREMRANGEBYSCORE', slots, '-inf', now)
local busy = redis.call('ZCARD', slots)
local sent, urgentUntil, granted = tonumber(s[5] or 0), tonumber(s[6] or 0), tonumber(s[7] or 0)
local urgentAfter, urgentSent = 0, tonumber(s[10] or 0)
-- While there are urgent calls now and then, a few slots are kept for them, because other calls may already have used up this second.
local urgentAt = input.urgent > 0 and now or tonumber(s[9] or 0)
local kept = now - urgentAt < 10000000 and math.floor(input.limit / 30) or 0
local sendAfter, waits, accountWait = {}, {}, 0
for i, channel in ipairs(input.wants) do
  sendAfter[i], waits[i] = -1, 0
  local urgent = i <= input.urgent
  local spare = input.limit - busy
  -- If all slots are in use or kept: how many slots in use must become free before this call may have one.
  local ahead = busy - input.limit + (urgent and 0 or kept)
  -- A slot that was idle gets a gap after the previous call; a slot that is reused at once already has its place in the second.
  -- Urgent calls have gaps among themselves, so that grants which others got in advance do not delay them.
  local at = math.max(now, (urgent and urgentSent or sent) + input.gap)
  if ahead >= 0 then at = math.max(now, tonumber(redis.call('ZRANGE', slots, ahead, ahead, 'WITHSCORES')[2])) end
  -- Lower lanes of all replicas yield to a waiting urgent call, but may compete for one grant in sixteen.
  if input.urgent == 0 and urgentUntil > now and granted % 16 ~= 15 then at = math.max(at, urgentUntil + input.lookahead + 1) end
  if at > now + input.lookahead then
    if urgent then urgentAfter = at end
    accountWait = at - now
    break
  end
  local key, inUse = KEYS[channel], 0
  local channelAt = 0
  if channel > 0 then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    inUse = redis.call('ZCARD', key)
    if inUse >= input.channelLimit then
      local rank = inUse - input.channelLimit
      channelAt = tonumber(redis.call('ZRANGE', key, rank, rank, 'WITHSCORES')[2])
    end
  end
  -- A channel that waits for its own slot does not occupy an account slot that another channel could use.
  if channelAt > (spare > 0 and now + input.lookahead or at) then
    waits[i] = channelAt - now
  else
    -- The gap is counted from the account's turn, so that a channel that waits for its own slot delays no other.
    if urgent then urgentSent = at else sent = math.max(sent, at) end
    at = math.max(at, channelAt)
    if spare <= 0 then redis.call('ZREMRANGEBYRANK', slots, 0, 0 - spare) end
    local permit = input.permits[i]
    redis.call('ZADD', slots, text(now + input.lease), permit)
    if channel > 0 then
      if channelAt > 0 then redis.call('ZREMRANGEBYRANK', key, 0, inUse - input.channelLimit) end
      redis.call('ZADD', key, text(now + input.lease), permit)
      redis.call('PEXPIRE', key, ${slotsLiveMs})
    end
    busy = spare > 0 and busy + 1 or input.limit
    granted, sendAfter[i] = granted + 1, at - now
  end
end
if granted > tonumber(s[7] or 0) then redis.call('PEXPIRE', slots, ${slotsLiveMs}) end
-- The mark of a waiting urgent call expires when its slot is free; a call that still waits renews it.
if input.urgent > 0 then urgentUntil = urgentAfter end
redis.call('HSET', state, 'seen', text(now), op .. ':sent', text(sent), op .. ':urgent', text(urgentUntil), op .. ':granted', granted, op .. ':calls', calls,
  op .. ':urgentAt', text(urgentAt), op .. ':urgentSent', text(urgentSent))
return {epoch, text(now), 0, accountWait, sendAfter, waits, busy}
`;
