// Every account of the configuration, read and written alike wherever it is carried: from memory for the accounts of this process, from
// Redis for the others.
import { z } from 'zod';
import { AppError, isRedisFailure, messageOf } from '#domain/errors.ts';
import type { SharedState, Transaction } from '#domain/shared-state.ts';
import type { Log } from '#domain/state-key.ts';
import type { ShardDirectory, ShardIdentity } from '#shard/directory.ts';
import { compareIds } from '#store/fleet-state.ts';
import type { SeenState } from '#store/visited-state.ts';

/** An account that can be asked, here or elsewhere. */
export interface Reached extends ShardIdentity {
  /** Whether this process carries it. */
  readonly isHere: boolean;
  /** Runs `look` on the current state, perhaps several times, so it must only read. @throws AppError REDIS_…, and what `look` throws */
  read<T>(look: (state: SeenState) => T | Promise<T>): Promise<T>;
  /** @throws AppError REDIS_…, STATE_…, and what the body throws */
  transact<T>(body: (tx: Transaction) => T): Promise<T>;
  /** The clock of its Redis, if it is known. */
  nowMs(): number;
}

interface HereShard extends ShardIdentity {
  readonly state: SharedState;
}

interface ElsewhereShard extends ShardIdentity, Pick<Reached, 'read' | 'transact' | 'nowMs'> {}

/** What a route needs of the accounts. */
export class Reach {
  readonly all: readonly Reached[];
  readonly #directory: ShardDirectory<HereShard>;

  constructor(directory: ShardDirectory<HereShard>) {
    this.#directory = directory;
    this.all = [...directory.all.map(here), ...directory.elsewhere.filter(isAskable).map(elsewhere)];
  }

  get isOne(): boolean {
    return this.#directory.isOne;
  }

  /** The account of this name. @throws AppError NOT_FOUND with the nearest name */
  named(name: string): Reached {
    return this.#of(this.#directory.anyNamed(name));
  }

  /** The account that owns a channel and that another process carries. */
  elsewhereOfChannel(channelArn: string): Reached | undefined {
    const name = this.#directory.findElsewhere(channelArn)?.name;
    return this.all.find((each) => !each.isHere && each.name === name);
  }

  /** The account that owns a channel. @throws AppError NOT_FOUND */
  ofChannel(channelArn: string): Reached {
    return this.#of(this.#directory.anyOfChannel(channelArn));
  }

  #of({ name }: ShardIdentity): Reached {
    const found = this.all.find((each) => each.name === name);
    // There is no way to ask it, so the directory says who carries it.
    return found ?? here(this.#directory.named(name));
  }
}

/** An account that could not be asked, so the response says nothing about it. */
export interface Unasked {
  readonly account: string;
  readonly code: string;
  readonly reason: string;
}

/** For responses; absent if all could be asked. */
export const unaskedField = z
  .array(z.object({ account: z.string(), code: z.string(), reason: z.string() }))
  .optional()
  .describe('Accounts whose Redis could not be asked: the answer says nothing of them');

export interface Answers<T, P = Reached> {
  readonly found: readonly { readonly shard: P; readonly value: T }[];
  readonly unasked: readonly Unasked[];
}

/** As `askEach`, but does not throw if no account can be asked. @throws AppError that is not about Redis */
export async function settleEach<T, P extends { readonly name: string }>(
  shards: readonly P[],
  ask: (shard: P) => T | Promise<T>,
): Promise<Answers<T, P>> {
  const { found, unasked } = await settled(shards, ask);
  return { found, unasked };
}

/**
 * Asks several accounts. One whose Redis cannot be asked is named, and does not block the answers of the others.
 * @throws AppError that is not about Redis; the Redis error, if no account can be asked
 */
export async function askEach<T, P extends { readonly name: string }>(
  shards: readonly P[],
  ask: (shard: P) => T | Promise<T>,
): Promise<Answers<T, P>> {
  const { found, unasked, first } = await settled(shards, ask);
  if (found.length === 0 && first !== undefined) throw first;
  return { found, unasked };
}

async function settled<T, P extends { readonly name: string }>(
  shards: readonly P[],
  ask: (shard: P) => T | Promise<T>,
): Promise<Answers<T, P> & { readonly first: AppError | undefined }> {
  const outcomes = await Promise.allSettled(shards.map(async (shard) => ask(shard)));
  const found: { shard: P; value: T }[] = [];
  const unasked: Unasked[] = [];
  let first: AppError | undefined;
  for (const [index, outcome] of outcomes.entries()) {
    const shard = shards[index]!;
    if (outcome.status === 'fulfilled') {
      found.push({ shard, value: outcome.value });
      continue;
    }
    const error: unknown = outcome.reason;
    if (!(error instanceof AppError) || !canBeLeftOut(error)) throw error;
    first ??= error;
    unasked.push({ account: shard.name, code: error.code, reason: messageOf(error) });
  }
  return { found, unasked, first };
}

/**
 * For something that was not found, although an account could not be asked: it may be there.
 * @throws AppError REDIS_UNREACHABLE, which names the accounts
 */
export function mustHaveAskedAll({ unasked }: Pick<Answers<unknown>, 'unasked'>, what: string): void {
  if (unasked.length === 0) return;
  const reasons = unasked.map(({ account, reason }) => `${account}: ${reason}`).join('; ');
  throw new AppError('REDIS_UNREACHABLE', `${what} was not found, but not every account could be asked; ${reasons}`);
}

/** `unasked` of a response, if there is something to name. */
export function unaskedOf({ unasked }: Pick<Answers<unknown>, 'unasked'>): { unasked?: Unasked[] } {
  return unasked.length === 0 ? {} : { unasked: [...unasked] };
}

/** A log of all accounts, newest first, for one request. */
export class MergedLog {
  readonly #places: readonly Pick<Reached, 'name' | 'read'>[];
  readonly #unasked = new Map<string, Unasked>();

  /** @param here the accounts of this process, used without `reach`. Each is asked by itself, because each may have its own Redis. */
  constructor(here: Pick<SharedState, 'readLog'>, reach: Reach | undefined) {
    const carried = { name: '', read: async <T>(look: (seen: SeenState) => T | Promise<T>) => look(here as SeenState) };
    this.#places = reach?.all ?? [carried];
  }

  /** Accounts that could not be asked so far. */
  get unasked(): readonly Unasked[] {
    return [...this.#unasked.values()];
  }

  /** As `SharedState.readLog`. */
  async readLog<T>(
    log: Log<T>,
    options: { limit: number; before?: string },
  ): Promise<readonly { id: string; entry: T }[]> {
    const { found, unasked } = await askEach(this.#places, (place) => place.read((seen) => seen.readLog(log, options)));
    for (const each of unasked) this.#unasked.set(each.account, each);
    return found
      .flatMap(({ value }) => value)
      .toSorted((a, b) => compareIds(b.id, a.id))
      .slice(0, options.limit);
  }
}

const ofOneAccount: ReadonlySet<string> = new Set([
  'REDIS_URL_INVALID',
  'STATE_TOO_NEW',
  'STATE_CONTENDED',
  'ACCOUNT_NOT_CARRIED',
]);

function canBeLeftOut(error: AppError): boolean {
  return isRedisFailure(error) || ofOneAccount.has(error.code);
}

function here(shard: HereShard): Reached {
  const { state } = shard;
  return {
    name: shard.name,
    region: shard.region,
    get accountId() {
      return shard.accountId;
    },
    isHere: true,
    read: async (look) => look(state),
    transact: (body) => state.transact(body),
    nowMs: () => state.nowMs(),
  };
}

function isAskable(shard: ShardIdentity): shard is ElsewhereShard {
  return 'read' in shard && 'transact' in shard;
}

function elsewhere(shard: ElsewhereShard): Reached {
  const { name, region, accountId } = shard;
  return {
    name,
    region,
    accountId,
    isHere: false,
    read: (look) => shard.read(look),
    transact: (body) => shard.transact(body),
    nowMs: () => shard.nowMs(),
  };
}
