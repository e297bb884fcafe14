// The two scripts of the shared state. Times are Redis's own.
import { z } from 'zod';
import type { Redis } from '#runtime/redis.ts';
import { replyOf } from '#runtime/script-replies.ts';
import type { Observed } from './continuity.ts';

interface Keys {
  readonly state: string;
  readonly head: string;
  readonly log: string;
  readonly prefix: string;
}

/** What changed since a head. Undefined changes mean that they are no longer known, or are too many, and the whole state must be loaded. */
export interface Moved extends Observed {
  readonly outcome: 'moved';
  readonly changes: readonly [key: string, value: string | null][] | undefined;
  /** How many commits the changes come from. */
  readonly commits: number;
  readonly redisTimeMs: number;
}

type CommitAnswer =
  | { readonly outcome: 'committed'; readonly head: string; readonly redisTimeMs: number }
  | { readonly outcome: 'repeated'; readonly dedupIds: readonly string[]; readonly redisTimeMs: number }
  | Moved;

/** How many commits a replica can catch up without loading everything. */
const logLength = 200;

// `moved` is both scripts' answer about a state that is not where the caller thinks. HLEN costs the same at any size.
const common = `
local time = redis.call('TIME')
local nowMs = time[1] .. string.format('%03d', math.floor(tonumber(time[2]) / 1000))
local head, fields = redis.call('GET', KEYS[2]) or '', redis.call('HLEN', KEYS[1])
local function moved(known)
  local keys, lists, seen, found, from = {}, {}, {}, known ~= '' and known == head, 0
  local tail = {nowMs, head, fields, redis.call('LLEN', KEYS[3])}
  local function answer(isFound, isWhole, changes)
    return {'moved', tail[1], tail[2], tail[3], tail[4], isFound and 1 or 0, isWhole and 1 or 0, #lists, changes}
  end
  if found then return answer(true, true, {}) end
  if known == '' then return answer(false, false, {}) end
  -- A replica is usually a commit or two behind: the log is read from its newest end, a few entries at a time.
  while not found do
    local rows = redis.call('LRANGE', KEYS[3], from, from + 7)
    if #rows == 0 then break end
    from = from + #rows
    for _, row in ipairs(rows) do
      local commit = cjson.decode(row)
      if commit.h == known then found = true break end
      lists[#lists + 1] = commit.k
    end
  end
  -- What was committed first comes first: jobs of several commits are handed over in that order.
  for index = #lists, 1, -1 do
    for _, key in ipairs(lists[index]) do
      if not seen[key] then seen[key] = true; keys[#keys + 1] = key end
    end
  end
  if not found or #keys > 20000 then return answer(found, false, {}) end
  local changes = {}
  for from = 1, #keys, 1000 do
    local part = {unpack(keys, from, math.min(from + 999, #keys))}
    local values = redis.call('HMGET', KEYS[1], unpack(part))
    for index, key in ipairs(part) do
      changes[#changes + 1] = key
      changes[#changes + 1] = values[index]
    end
  end
  return answer(true, true, changes)
end
`;

/**
 * KEYS: 1 state, 2 head, 3 list of commits; then a claim for each dedup id, then the log of each append.
 * ARGV: 1 expected head, 2 new head's beginning, 3 keys, 4 number of claims, 5 their time to live, 6 repair, 7 number of appends, then
 * for each append its most entries, its entry and its greatest age; then the values of the keys.
 */
const commit = `${common}
if head ~= ARGV[1] then return moved(ARGV[1]) end
-- Fields that went without a commit: only a repair may go on from here.
local counted = string.match(head, '^2|.*|(%d+)$')
if ARGV[6] == '0' and counted and fields < tonumber(counted) then return moved(ARGV[1]) end
local lastClaim = 3 + tonumber(ARGV[4])
local repeated = {}
for index = 4, lastClaim do
  if redis.call('EXISTS', KEYS[index]) == 1 then repeated[#repeated + 1] = index - 4 end
end
if #repeated > 0 then return {'repeated', nowMs, repeated} end
for index = 4, lastClaim do redis.call('SET', KEYS[index], '1', 'PX', ARGV[5]) end
local position = 8
for append = 1, tonumber(ARGV[7]) do
  local log, maxAgeMs = KEYS[lastClaim + append], tonumber(ARGV[position + 2])
  redis.call('XADD', log, 'MAXLEN', '~', ARGV[position], '*', 'e', ARGV[position + 1])
  if maxAgeMs > 0 then
    redis.call('XTRIM', log, 'MINID', string.format('%.0f', tonumber(nowMs) - maxAgeMs))
    redis.call('PEXPIRE', log, maxAgeMs)
  end
  position = position + 3
end
local keys = cjson.decode(ARGV[3])
for index, key in ipairs(keys) do
  local value = ARGV[position + index - 1]
  if value == '' then redis.call('HDEL', KEYS[1], key) else redis.call('HSET', KEYS[1], key, value) end
end
local newHead = ARGV[2] .. '|' .. nowMs .. '|' .. redis.call('HLEN', KEYS[1])
redis.call('SET', KEYS[2], newHead)
-- Nobody has a copy from before the first commit.
if head ~= '' then
  redis.call('LPUSH', KEYS[3], '{"h":' .. cjson.encode(newHead) .. ',"k":' .. ARGV[3] .. '}')
  redis.call('LTRIM', KEYS[3], 0, ${logLength - 1})
end
return {'committed', nowMs, newHead}
`;

const refresh = `${common}
return moved(ARGV[1])
`;

/** Commits a draft if the head is the expected one and no dedup id was used before; otherwise changes nothing. */
export async function commitScript(
  redis: Redis,
  options: Keys & {
    readonly expectedHead: string;
    /** `newHeadPrefix` */
    readonly newHead: string;
    /** Continues from a state in which fields are missing. */
    readonly repair: boolean;
    readonly writes: ReadonlyMap<string, unknown>;
    readonly appends: readonly { log: string; entry: unknown; maxEntries: number; maxAgeMs: number | undefined }[];
    readonly dedupIds: readonly string[];
    readonly dedupTtlMs: number;
  },
): Promise<CommitAnswer> {
  const { writes, appends, dedupIds, prefix } = options;
  const keys = [
    ...dedupIds.map((dedupId) => `${prefix}:claim:${dedupId}`),
    ...appends.map(({ log }) => `${prefix}:log:${log}`),
  ];
  const answer = await run(
    redis,
    commit,
    [...fixedKeys(options), ...keys],
    [
      options.expectedHead,
      options.newHead,
      jsonArray([...writes.keys()]),
      String(dedupIds.length),
      String(options.dedupTtlMs),
      options.repair ? '1' : '0',
      String(appends.length),
      ...appends.flatMap(({ entry, maxEntries, maxAgeMs = 0 }) => [
        String(maxEntries),
        JSON.stringify(entry),
        String(Math.round(maxAgeMs)),
      ]),
      ...Array.from(writes.values(), (value) => (value === undefined ? '' : JSON.stringify(value))),
    ],
  );
  if (answer?.[0] === 'committed') {
    const [, time, head] = replyOf('commit', committedReply, answer);
    return { outcome: 'committed', head, redisTimeMs: Number(time) };
  }
  if (answer?.[0] === 'repeated') {
    const [, time, places] = replyOf('commit', repeatedReply, answer);
    return {
      outcome: 'repeated',
      dedupIds: places.flatMap((place) => dedupIds[place] ?? []),
      redisTimeMs: Number(time),
    };
  }
  return moved(answer);
}

/** What changed since the known head. */
export async function refreshScript(redis: Redis, options: Keys & { readonly knownHead: string }): Promise<Moved> {
  return moved(await run(redis, refresh, fixedKeys(options), [options.knownHead]));
}

const time = z.union([z.string().regex(/^\d{1,16}$/), z.number()]);
const committedReply = z.tuple([z.literal('committed'), time, z.string()]);
const repeatedReply = z.tuple([z.literal('repeated'), time, z.array(z.number().int().nonnegative()).min(1)]);
const movedReply = z.tuple([
  z.literal('moved'),
  time,
  z.string(),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  z.number(),
  z.array(z.string().nullable()),
]);

function moved(answer: unknown[]): Moved {
  const [, time, head, fields, logged, found, whole, commits, flat] = replyOf('refresh', movedReply, answer);
  const changes: [string, string | null][] = [];
  for (let index = 0; index < flat.length; index += 2) changes.push([flat[index] ?? '', flat[index + 1] ?? null]);
  return {
    outcome: 'moved',
    head,
    fields,
    logged,
    found: found === 1,
    changes: whole === 1 ? changes : undefined,
    commits,
    redisTimeMs: Number(time),
  };
}

// An empty Lua table is encoded as an object; an empty JSON array must stay one.
function jsonArray(values: readonly string[]): string {
  return JSON.stringify(values);
}

const hashes = new Map<string, string>();

function fixedKeys({ state, head, log }: Keys): string[] {
  return [state, head, log];
}

async function run(redis: Redis, script: string, keys: string[], args: string[]): Promise<unknown[]> {
  const known = hashes.get(script);
  if (known !== undefined) {
    try {
      return (await redis.evalsha(known, keys.length, ...keys, ...args)) as unknown[];
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    }
  }
  hashes.set(script, (await redis.script('LOAD', script)) as string);
  return (await redis.evalsha(hashes.get(script)!, keys.length, ...keys, ...args)) as unknown[];
}
