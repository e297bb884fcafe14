// Pausing must work while Redis is away: the replica that was asked then pauses by itself, and says that the others do not know yet.
import type { By, Pause } from '#domain/control.ts';
import { isPaused } from '#domain/controls-in-force.ts';
import { AppError, isRedisFailure } from '#domain/errors.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { pauses } from '#domain/state-registry.ts';
import { pause, resume } from '#rules/controls.ts';
import type { ShardDirectory, ShardIdentity } from '#shard/directory.ts';
import { askEach, Reach, type Reached, settleEach, type Unasked } from './reach.ts';

/** How long a request waits for Redis to accept it. */
const patienceMs = 1_500;
/** The same for the accounts of other processes, which are asked one after another. */
const distantPatienceMs = 10_000;

export const othersUnaware =
  'Redis cannot be written: this replica is paused, and the others do not know yet. The pause is written when Redis is back; if this process ends before that, it is lost.';
export const othersNeverTold =
  'Redis cannot be written: the pause that only this replica knew has ended. If others are paused, this replica learns it when Redis is back.';

/** Pauses every account: those of this process at once, even without Redis; the others once their Redis accepts it. */
export async function pauseAll(
  shards: ShardDirectory<PausedShard>,
  by: By,
): Promise<{ readonly paused: Pause; readonly written: boolean; readonly unasked: readonly Unasked[] }> {
  const [here, elsewhere] = await Promise.all([
    Promise.all(shards.all.map(({ state }) => pauseShard(state, by))),
    settleEach(distantOf(shards), async (shard) => {
      const written = await within(
        shard.transact((tx) => pause(tx, by)),
        distantPatienceMs,
      );
      if (written === undefined)
        throw new AppError('REDIS_UNREACHABLE', 'its Redis does not answer: whether it is paused is not known');
    }),
  ]);
  return {
    paused: here[0]!.paused,
    written: here.every(({ written }) => written),
    unasked: elsewhere.unasked,
  };
}

/**
 * Ends every pause of every account whose Redis can be written.
 * @throws AppError REDIS_UNREACHABLE, REDIS_REFUSES: everything stays paused
 */
export async function resumeAll(
  shards: ShardDirectory<PausedShard>,
  by: By,
): Promise<{ readonly written: boolean; readonly unasked: readonly Unasked[] }> {
  const states = new Map(shards.all.map(({ name, state }) => [name, state]));
  const { found, unasked } = await askEach(new Reach(shards).all, async (shard) => {
    const state = states.get(shard.name);
    if (state) return (await resumeShard(state, by)).written;
    await shard.transact((tx) => resume(tx, by));
    return true;
  });
  return { written: found.every(({ value }) => value), unasked };
}

interface PausedShard extends ShardIdentity {
  readonly state: SharedState;
}

function distantOf(shards: ShardDirectory<PausedShard>): readonly Reached[] {
  return new Reach(shards).all.filter(({ isHere }) => !isHere);
}

/** Pauses one shard. `written`: whether other replicas can learn about it. */
export async function pauseShard(
  state: SharedState,
  by: By,
): Promise<{ readonly paused: Pause; readonly written: boolean }> {
  const own: Pause = { ...by, sinceMs: state.nowMs() };
  const { written } = state.insist(pauses.asked, own, (tx) => pause(tx, by));
  const paused = await within(written, patienceMs);
  return paused === undefined ? { paused: own, written: false } : { paused, written: true };
}

/**
 * Ends every pause of one shard. While Redis is away, only a pause that Redis does not know can be ended.
 * @throws AppError REDIS_UNREACHABLE, REDIS_REFUSES: everything stays paused
 */
export async function resumeShard(state: SharedState, by: By): Promise<{ readonly written: boolean }> {
  const wasOnlyHere = state.withdraw(pauses.asked);
  try {
    // A replica that knows of no pause would have nothing to commit, so it asks whether the others know of one.
    await state.refresh();
    await state.transact((tx) => resume(tx, by));
    return { written: true };
  } catch (error) {
    const stillPaused = isPaused(state.view);
    if (!wasOnlyHere || stillPaused || !isRedisFailure(error)) throw error;
    return { written: false };
  }
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
