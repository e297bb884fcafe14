// rotate_stream_key: delete → create → deliver → verify. In the end the channel has exactly one key, and its value was delivered.
//
// A channel can have only one key, so between delete and deliver it has none that anyone knows. Each round lists the keys that IVS shows
// and does what is left: a key that must be replaced is deleted; if there is none, one is created; a key that is neither old nor delivered
// (ours after a lost answer, or somebody else's) is read and delivered. The last listing must show the delivered key and no other. Only
// ARNs are remembered (key-record.ts); the value exists only in this process's memory.

import type { ActionJob } from '#domain/action.ts';
import type { KeyRecord } from '#domain/action-memory.ts';
import { AppError, messageOf } from '#domain/errors.ts';
import type { SecretSink } from '#secrets/sink.ts';
import { clearAlerts, raiseAlert } from './alerts.ts';
import { mayPass, pauseBefore } from './in-place.ts';
import { deferJob, dropIntents, settleIntent, wasCancelled } from './intents.ts';
import { createKey, readKey } from './key-calls.ts';
import { keyRecordOf, rotationIdOf } from './key-record.ts';
import { type Fence, withLease } from './lease.ts';
import type { ActionHandler, HandlerContext, HandlerResult, StreamKeyValue } from './ports.ts';
import { channelGone, channelOf, checkLive, isCode, liveStream, planned, reasonToSkip } from './preconditions.ts';

type Job = ActionJob<'rotate_stream_key'>;

/** Rounds within one run; each one beyond the first means that something interfered. */
const maxRounds = 6;

export const rotateStreamKey: ActionHandler<'rotate_stream_key'> = async (job, context) => {
  const channelArn = channelOf(job);
  if (wasCancelled(context, job)) return { outcome: 'skipped', reason: 'intent_cancelled' };
  try {
    if (job.dryRun) return await plan(job, context, channelArn);
    return await withLease(context, channelArn, async (fence) => {
      const rotation = new Rotation({ job, context, channelArn, fence });
      return (await rotation.begin()) ?? (await rotation.finish());
    });
  } catch (error) {
    if (!isCode(error, 'IVS_NOT_FOUND')) throw error;
    await context.state.transact((tx) => {
      clearAlerts(tx, channelArn);
      dropIntents(tx, channelArn);
      if (tx.get(keyRecordOf(channelArn)) !== undefined) tx.delete(keyRecordOf(channelArn));
    });
    return channelGone(channelArn);
  }
};

async function plan(job: Job, context: HandlerContext, channelArn: string): Promise<HandlerResult> {
  const live = await liveStream(context, channelArn);
  const keyArns = await context.ivs.listStreamKeys(channelArn, { signal: context.signal });
  const sink = context.sink(job);
  const before = { live: live?.streamId ?? null, keyArns };
  const skip = reasonToSkip(job, context, live);
  if (skip) return { ...skip, before };
  if (live && (job.params.when ?? 'offline') === 'offline') return planned(['wait for Stream End'], before);
  return planned(
    [
      ...keyArns.map((arn) => `DeleteStreamKey ${arn}`),
      `CreateStreamKey ${channelArn}`,
      `deliver to ${sink.description}`,
      ...(live && job.params.when === 'now_and_stop' ? [`StopStream ${channelArn}`] : []),
      `ListStreamKeys ${channelArn}`,
    ],
    before,
  );
}

interface RotationOptions {
  readonly job: Job;
  readonly context: HandlerContext;
  readonly channelArn: string;
  readonly fence: Fence;
}

/** One run of a rotation. States: new → begun (recorded: something may have been deleted) → finished (verified). */
class Rotation {
  readonly #options: RotationOptions;
  readonly #rotationId: string;
  readonly #sink: SecretSink;
  /** Delivered by this run, so certainly the newest value at its destination. */
  #delivered: string | undefined;
  /** The session that this run ended. */
  #stopped: string | undefined;
  /** The result of the last listing. */
  #keyArns: readonly string[] | undefined;

  constructor(options: RotationOptions) {
    this.#options = options;
    this.#rotationId = rotationIdOf(options.job);
    this.#sink = options.context.sink(options.job);
  }

  /** Decides whether to rotate, and records it before anything is changed. Returns a result if there is nothing to do now. */
  async begin(): Promise<HandlerResult | undefined> {
    const { job, context, channelArn, fence } = this.#options;
    const known = context.state.view.get(keyRecordOf(channelArn));
    if (known?.rotationId === this.#rotationId) {
      if (known.finishedAtMs === undefined) return undefined;
      await fence.commit((tx) => settleIntent(tx, job));
      return { outcome: 'already_done', reason: 'rotated', keyArn: known.deliveredKeyArn };
    }
    const live = await liveStream(context, channelArn);
    const skip = reasonToSkip(job, context, live);
    if (skip) return skip;
    if (!checkLive(context, false, live) && live && (job.params.when ?? 'offline') === 'offline')
      return this.#defer(live.streamId);
    await context.progress('check_sink', { sink: this.#sink.description });
    await this.#sink.check(context.signal);
    this.#keyArns = await this.#list();
    // The key is already newer than the request for a new one: only its delivery to this job's sink is left.
    const newer = known !== undefined && known.startedAtMs > job.decidedAtMs && known.finishedAtMs !== undefined;
    if (known?.finishedAtMs !== undefined)
      context.check('key_age', !newer, {
        asked: { rotatedBeforeMs: job.decidedAtMs },
        found: { rotatedAtMs: known.startedAtMs },
      });
    const oldKeyArns = newer ? [] : this.#keyArns;
    await this.#record({ ...(newer ? { startedAtMs: known.startedAtMs } : {}), oldKeyArns, job });
    return undefined;
  }

  /** Works until the last listing shows one key, delivered. @throws what stopped it, after raising an alert */
  async finish(): Promise<HandlerResult> {
    for (let round = 0, failures = 0; ; round += 1) {
      try {
        const result = await this.#round();
        if (result) return result;
        if (round >= maxRounds)
          throw new AppError(
            'KEY_UNSETTLED',
            `the keys of ${this.#options.channelArn} changed ${round} times meanwhile`,
          );
      } catch (error) {
        // Without an answer nothing is known: the next round lists first.
        this.#keyArns = undefined;
        const { signal } = this.#options.context;
        // A stopping daemon passes the job on at once: no reason for an alert.
        const interrupted = signal.aborted && isCode(signal.reason, 'INTERRUPTED');
        if (isCode(error, 'LEASE_LOST') || isCode(error, 'IVS_NOT_FOUND') || interrupted) throw error;
        failures += 1;
        if (failures > 3 || !mayPass(error) || signal.aborted) throw await this.#alarm(error);
        this.#options.context.logger.warn(
          { err: error, channelArn: this.#options.channelArn },
          'rotation tries a step again',
        );
        await pauseBefore(this.#options.context, failures - 1);
      }
    }
  }

  /** One listing and what it requires. Returns the result if the listing showed that all is well. */
  async #round(): Promise<HandlerResult | undefined> {
    const { context, channelArn, fence } = this.#options;
    const { signal } = context;
    const keyArns = this.#keyArns ?? (await this.#list());
    this.#keyArns = undefined;
    const { oldKeyArns } = this.#known();
    for (const arn of keyArns.filter((key) => oldKeyArns.includes(key))) {
      await context.progress('delete_stream_key', { keyArn: arn });
      await fence.renew();
      await context.ivs.deleteStreamKey(arn, { signal }).catch(ignoring('IVS_NOT_FOUND'));
    }
    const newArn = keyArns.find((arn) => !oldKeyArns.includes(arn));
    if (newArn !== undefined && newArn === this.#delivered && keyArns.length === 1) {
      await this.#stopOldStream();
      return this.#finished(newArn);
    }
    if (newArn === undefined) await this.#noteLive();
    const key = newArn === undefined ? await createKey(context, channelArn, fence) : await readKey(context, newArn);
    if (!key) return undefined;
    await this.#deliver(key);
    await context.progress('verify', { channelArn });
    return undefined;
  }

  /** No new key exists yet: a live stream started with the old one. */
  async #noteLive(): Promise<void> {
    const { job, context, channelArn } = this.#options;
    if (job.params.when !== 'now_and_stop' || this.#known().ejectStreamId !== undefined) return;
    const live = await liveStream(context, channelArn);
    await this.#record({ ejectStreamId: live?.streamId ?? null });
  }

  async #deliver(key: StreamKeyValue): Promise<void> {
    const { context, channelArn, fence } = this.#options;
    using _hidden = context.hide(key.value);
    await context.progress('deliver', { keyArn: key.arn, sink: this.#sink.description });
    await fence.renew();
    await this.#sink.deliver({ kind: 'stream_key', value: key.value, keyArn: key.arn, channelArn }, context.signal);
    this.#delivered = key.arn;
    await this.#record({ deliveredKeyArn: key.arn, deliveredAtMs: context.state.nowMs() });
  }

  /** now_and_stop: ends the stream that started with the old key; one that reconnected with the new key stays. */
  async #stopOldStream(): Promise<void> {
    const { job, context, channelArn } = this.#options;
    const { ejectStreamId = job.streamId } = this.#known();
    if (job.params.when !== 'now_and_stop' || !ejectStreamId) return;
    const live = await liveStream(context, channelArn);
    const isOld = live?.streamId === ejectStreamId;
    const compared = { asked: { streamId: ejectStreamId }, found: { streamId: live?.streamId ?? null } };
    if (!context.check('session', isOld, compared) || !live) return;
    await context.progress('stop_stream', { streamId: live.streamId });
    try {
      await context.ivs.stopStream(channelArn, { signal: context.signal });
      this.#stopped = live.streamId;
    } catch (error) {
      ignoring('IVS_NOT_BROADCASTING')(error);
    }
  }

  async #finished(keyArn: string): Promise<HandlerResult> {
    const { job, channelArn, fence } = this.#options;
    const before = this.#known().oldKeyArns;
    await fence.commit((tx) => {
      const known = tx.get(keyRecordOf(channelArn))!;
      const { job: _done, ...rest } = known;
      tx.set(keyRecordOf(channelArn), { ...rest, updatedAtMs: tx.nowMs, finishedAtMs: tx.nowMs });
      clearAlerts(tx, channelArn);
      settleIntent(tx, job);
    });
    return {
      outcome: 'done',
      keyArn,
      deliveredTo: this.#sink.description,
      before: { keyArns: before },
      after: { keyArns: [keyArn] },
      stopped: this.#stopped,
    };
  }

  async #defer(streamId: string): Promise<HandlerResult> {
    const { job, fence } = this.#options;
    const summary = `rotate the key, deliver to ${this.#sink.description}`;
    let intentId = '';
    await fence.commit((tx) => {
      intentId = deferJob(tx, { ...job, streamId }, summary).id;
    });
    return { outcome: 'deferred', reason: 'live', until: 'Stream End', streamId, intentId };
  }

  async #alarm(failure: unknown): Promise<unknown> {
    const { context, channelArn, fence } = this.#options;
    const keyArns = await this.#list().catch(() => undefined);
    const kind = keyArns?.length === 0 ? 'keyless' : 'undelivered';
    const text =
      kind === 'keyless'
        ? `the channel has no stream key: the old one is deleted and no new one could be made (${messageOf(failure)})`
        : `the channel's new stream key is not known to be at ${this.#sink.description} (${messageOf(failure)})`;
    context.logger.error(
      { channelArn, alert: kind, err: failure },
      'a channel needs attention: its key rotation is not finished',
    );
    await fence
      .commit((tx) => {
        raiseAlert(tx, { kind, channelArn, text, jobId: context.jobId });
        const known = tx.get(keyRecordOf(channelArn));
        if (known) tx.set(keyRecordOf(channelArn), { ...known, updatedAtMs: tx.nowMs });
      })
      .catch((cause: unknown) => context.logger.error({ err: cause, channelArn }, 'an alert could not be recorded'));
    return failure;
  }

  async #list(): Promise<string[]> {
    const { context, channelArn } = this.#options;
    return context.ivs.listStreamKeys(channelArn, { signal: context.signal });
  }

  #known(): KeyRecord {
    const { context, channelArn } = this.#options;
    const known = context.state.view.get(keyRecordOf(channelArn));
    if (known?.rotationId !== this.#rotationId)
      throw new AppError('LEASE_LOST', `another rotation of ${channelArn} began; this run stops`);
    return known;
  }

  async #record(change: Partial<KeyRecord>): Promise<void> {
    const { channelArn, fence } = this.#options;
    const key = keyRecordOf(channelArn);
    await fence.commit((tx) => {
      const known = tx.get(key);
      const base: KeyRecord =
        known?.rotationId === this.#rotationId
          ? known
          : {
              rotationId: this.#rotationId,
              startedAtMs: tx.nowMs,
              updatedAtMs: tx.nowMs,
              oldKeyArns: [],
              sink: this.#sink.description,
              repairs: 0,
            };
      tx.set(key, { ...base, ...change, updatedAtMs: tx.nowMs });
    });
  }
}

/** Ignores errors with one code. */
function ignoring(code: AppError['code']): (error: unknown) => void {
  return (error) => {
    if (!isCode(error, code)) throw error;
  };
}
