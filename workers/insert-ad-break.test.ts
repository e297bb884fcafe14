// The job of an ad break, in virtual time, against an Amazon IVS that answers as the test says.
import { expect, test } from 'vitest';
import type { ActionJob } from '#domain/action.ts';
import { cancelAdBreak, planOf } from '#domain/ad-break-line.ts';
import type { ChannelArn } from '#domain/channel.ts';
import type { ErrorCode } from '#domain/error-catalog.ts';
import { AppError } from '#domain/errors.ts';
import { kinds } from '#domain/state-registry.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import { systemClock } from '#runtime/clock.ts';
import { MemoryState } from '#store/memory-state.ts';
import { emptyRecord } from '#streams/session-record.ts';
import { stopBulk } from './bulk.ts';
import { finishedActionRecorder } from './finished-action.ts';
import { insertAdBreak } from './insert-ad-break.ts';
import type { CallOptions, HandlerContext, HandlerResult } from './ports.ts';

const startMs = Date.UTC(2026, 10, 20, 20, 0, 0);
const arnOf = (name: string) => `arn:aws:ivs:us-west-2:111122223333:channel/${name}` as ChannelArn;

/** How a call of InsertAdBreak ends: with an answer, with an error, or lost after it took effect. */
type Answer = 'ok' | ErrorCode;

class Stage {
  nowMs = startMs;
  readonly state = new MemoryState({ now: () => this.nowMs });
  /** Calls that change something, with the second in which they were sent. */
  readonly calls: string[] = [];
  answers: Answer[] = [];
  channel = { adConfigurationArn: 'arn:ads', containerFormat: 'TS' };
  live = true;
  /** What IVS lists in the session. */
  events: { readonly name: string; readonly timeMs: number }[] = [];
  silence: { id: string; author: string; reason: string } | undefined;
  /** The daemon stops while the call waits for its permit. */
  interrupted = false;
  /** Makes the wait for the moment to send end like this, after the call was confirmed. */
  lapsed: AppError | undefined;
  /** Makes the list of the session's events unreadable like this. */
  unreadable: ErrorCode | undefined;
  /** Runs at the moment of the call. */
  during: () => Promise<unknown> = async () => undefined;

  job(name: string, more: Partial<ActionJob<'insert_ad_break'>> = {}): ActionJob<'insert_ad_break'> {
    return {
      action: 'insert_ad_break',
      params: { duration: '30s' },
      channelArn: arnOf(name),
      cause: { kind: 'rule', rule: 'ads', decisionId: 'd-1' },
      decidedAtMs: this.nowMs,
      ...more,
    };
  }

  /** One run of a job; for a postponed one the result contains the seconds. */
  async run(job: ActionJob<'insert_ad_break'>, jobId = `job-${job.channelArn}`): Promise<HandlerResult | string> {
    const context = this.#context(jobId);
    try {
      return await insertAdBreak(job, context);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const { disposition } = error;
      return disposition.kind === 'retry-after' ? `${error.code} ${disposition.delayMs / 1000}` : error.code;
    }
  }

  /** What the host does with a job that failed permanently. */
  async giveUp(job: ActionJob<'insert_ad_break'>, code: ErrorCode): Promise<void> {
    const record = finishedActionRecorder({
      state: this.state,
      clock: systemClock,
      random: Math.random,
      configHash: () => 'hash',
    });
    const ended = { outcome: 'failed', result: undefined, error: new AppError(code, 'told so') } as const;
    await record({ jobId: `job-${job.channelArn}`, name: 'insert_ad_break', payload: job, ...ended });
  }

  /** Runs until it ends, and lets the time pass that it asks for. */
  async settle(job: ActionJob<'insert_ad_break'>, jobId?: string): Promise<HandlerResult | string> {
    for (let turn = 0; turn < 100; turn += 1) {
      const result = await this.run(job, jobId);
      if (typeof result !== 'string' || !/^\w+ [\d.]+$/.test(result)) return result;
      this.nowMs += Number(result.split(' ')[1]) * 1000;
    }
    throw new Error('it does not end');
  }

  #context(jobId: string): HandlerContext {
    const { state, channel } = this;
    const missing = () => Promise.reject(new AppError('IVS_NOT_BROADCASTING', 'offline'));
    return {
      jobId,
      attempt: 1,
      state,
      signal: new AbortController().signal,
      check: (_name: string, holds: boolean) => holds,
      progress: async () => undefined,
      silenceOf: () => this.silence,
      adBreaks: { spacingMs: () => 1_000, aheadMs: 0, eventWindowMs: 60_000 },
      ivs: {
        getStream: () =>
          this.live ? Promise.resolve({ streamId: 'st-1', health: 'HEALTHY', viewerCount: 5 }) : missing(),
        getChannel: async () => channel,
        getStreamSession: async () => {
          if (this.unreadable) throw new AppError(this.unreadable, 'told so');
          return { events: this.events };
        },
        insertAdBreak: async (arn: string, seconds: number, { confirm }: CallOptions) => {
          if (this.interrupted) throw new AppError('INTERRUPTED', 'the daemon stops');
          // No permit: nothing is sent.
          if (this.answers[0]?.startsWith('LIMITER_')) throw new AppError(this.answers.shift() as ErrorCode, 'told so');
          await this.during();
          confirm?.();
          if (this.lapsed) throw this.lapsed;
          this.calls.push(`${(this.nowMs - startMs) / 1000} ${arn.split('/')[1]} ${seconds}`);
          const answer = this.answers.shift() ?? 'ok';
          if (answer !== 'ok') throw new AppError(answer, 'told so');
          return { adBreakId: 'hSi2o1WIVgij' };
        },
      },
    } as unknown as HandlerContext;
  }
}

test('gives several channels one turn a second each, in the order of their requests, and tells them when', async () => {
  const stage = new Stage();
  const jobs = ['a', 'b', 'c'].map((name) => stage.job(name));

  expect(await stage.run(jobs[0]!)).toMatchObject({ outcome: 'done', adBreakId: 'hSi2o1WIVgij' });
  expect(await stage.run(jobs[1]!)).toBe('AD_BREAK_PLANNED 1');
  expect(await stage.run(jobs[2]!)).toBe('AD_BREAK_PLANNED 2');
  expect(
    planOf(stage.state.view, ['b', 'c'].map(arnOf), { nowMs: stage.nowMs, spacingMs: 1_000, isDry: false }),
  ).toMatchObject([
    { at: '2026-11-20T20:00:01.000Z', startsAt: '2026-11-20T20:00:11.000Z', behindSeconds: 0 },
    { at: '2026-11-20T20:00:02.000Z', behindSeconds: 1 },
  ]);
  await stage.settle(jobs[1]!);
  await stage.settle(jobs[2]!);

  expect(stage.calls).toEqual(['0 a 30', '1 b 30', '2 c 30']);
});

test('gives a returned turn to the next job, and keeps the turns of the others', async () => {
  const stage = new Stage();
  for (const name of ['a', 'b', 'c', 'd']) await stage.run(stage.job(name));
  await stage.state.transact((tx) => cancelAdBreak(tx, arnOf('b'), 'mara'));

  expect(await stage.run(stage.job('e'))).toBe('AD_BREAK_PLANNED 1');
  expect(await stage.run(stage.job('f'))).toBe('AD_BREAK_PLANNED 4');
  expect(await stage.run(stage.job('c'))).toBe('AD_BREAK_PLANNED 2');
});

test('a channel has one waiting break: another job skips it', async () => {
  const stage = new Stage();
  await stage.run(stage.job('a'));
  await stage.run(stage.job('b'), 'first');

  expect(await stage.run(stage.job('b'), 'second')).toMatchObject({
    outcome: 'skipped',
    reason: 'ad_break_planned',
    otherJobId: 'first',
  });
});

test.each<[string, Partial<Stage>, ErrorCode]>([
  ['fragmented MP4', { channel: { adConfigurationArn: '', containerFormat: 'FRAGMENTED_MP4' } }, 'AD_BREAK_IMPOSSIBLE'],
  ['no ad configuration', { channel: { adConfigurationArn: '', containerFormat: 'TS' } }, 'AD_BREAK_IMPOSSIBLE'],
])('a channel with %s is refused before the call', async (_what, given, code) => {
  const stage = Object.assign(new Stage(), given);

  expect(await stage.run(stage.job('a'))).toBe(code);
  expect(await stage.run({ ...stage.job('a'), dryRun: true })).toBe(code);
  expect(stage.calls).toEqual([]);
});

test('a dry run says what it would call and when, and takes no turn', async () => {
  const stage = new Stage();
  await stage.run(stage.job('b'));
  stage.calls.length = 0;

  expect(await stage.run({ ...stage.job('a'), dryRun: true })).toMatchObject({
    outcome: 'skipped',
    reason: 'dry_run',
    calls: [`InsertAdBreak ${arnOf('a')} durationSeconds=30`],
    at: '2026-11-20T20:00:01.000Z',
  });
  expect(stage.calls).toEqual([]);
  expect(stage.state.view.get(kinds.adBreak.of(arnOf('a')))).toBeUndefined();
});

test('inserts nothing into a stream that is not live, and the next job finds the channel free', async () => {
  const stage = Object.assign(new Stage(), { live: false });

  expect(await stage.run(stage.job('a'), 'first')).toMatchObject({ outcome: 'skipped', reason: 'offline' });
  stage.live = true;
  expect(await stage.settle(stage.job('a'), 'second')).toMatchObject({ outcome: 'done' });
});

test('counts a break that is running already as done', async () => {
  const stage = Object.assign(new Stage(), { answers: ['IVS_CONFLICT'] });

  expect(await stage.run(stage.job('a'))).toMatchObject({ outcome: 'already_done', reason: 'ad_break_running' });
  expect(stage.calls).toHaveLength(1);
});

test('repeats a call that was refused because of its rate', async () => {
  const stage = Object.assign(new Stage(), { answers: ['IVS_THROTTLED', 'LIMITER_DEADLINE'] });
  const job = stage.job('a');
  await stage.run(job);
  await stage.run(job);

  expect(await stage.settle(job)).toMatchObject({ outcome: 'done' });
  expect(stage.calls).toHaveLength(2);
});

const unclear = ['IVS_NO_ANSWER', 'IVS_UNAVAILABLE', 'IVS_ANSWER_INVALID'] as const;

test.each(unclear)('does not repeat the call after %s; without an event it ends as unknown', async (code) => {
  const stage = Object.assign(new Stage(), { answers: [code] });
  const result = await stage.settle(stage.job('a'));

  expect(result).toMatchObject({ outcome: 'unknown', reason: expect.stringContaining('not sent again') as string });
  expect(stage.calls).toHaveLength(1);
  expect((stage.nowMs - startMs) / 1000).toBe(60);
  expect(await stage.run(stage.job('a')), 'however often it runs').toMatchObject({ outcome: 'unknown' });
  expect(stage.calls).toHaveLength(1);
});

test.each(['told by EventBridge', 'listed in the session'])(
  'an event %s within the window counts as done',
  async (how) => {
    const stage = Object.assign(new Stage(), { answers: ['IVS_NO_ANSWER'] });
    expect(await stage.run(stage.job('a'))).toBe('AD_BREAK_UNCERTAIN 2');
    stage.nowMs += 20_000;
    if (how === 'listed in the session') stage.events = [{ name: 'Ad Break Inserted', timeMs: startMs }];
    else
      await stage.state.transact((tx) => {
        const record = emptyRecord({ channelArn: arnOf('a'), streamId: 'st-1' as never, nowMs: startMs });
        const adBreak = { id: 'one', insertedAtMs: startMs, startsAtMs: startMs + 10_000, endsAtMs: startMs + 40_000 };
        tx.set(kinds.stream.of(arnOf('a')), { ...record, adBreaks: [adBreak] });
      });

    expect(await stage.run(stage.job('a'))).toMatchObject({ outcome: 'done' });
    expect(stage.calls).toHaveLength(1);
  },
);

test('an event of an earlier break says nothing about this one', async () => {
  const stage = Object.assign(new Stage(), {
    answers: ['IVS_NO_ANSWER'],
    events: [{ name: 'Ad Break Inserted', timeMs: startMs - 600_000 }],
  });

  expect(await stage.settle(stage.job('a'))).toMatchObject({ outcome: 'unknown' });
});

test('does not repeat a call because its answer could not be recorded', async () => {
  const stage = new Stage();
  const { state } = stage;
  stage.during = async () => {
    const transact = state.transact.bind(state);
    state.transact = async () => {
      state.transact = transact;
      throw new AppError('REDIS_UNREACHABLE', 'away for a moment');
    };
  };
  expect(await stage.run(stage.job('a'))).toBe('REDIS_UNREACHABLE');
  stage.events = [{ name: 'Ad Break Inserted', timeMs: startMs }];

  expect(await stage.settle(stage.job('a'))).toMatchObject({ outcome: 'done', reason: 'IVS lists its event' });
  expect(stage.calls).toHaveLength(1);
});

test('a stop while the call waits for its permit loses nothing: it is sent later', async () => {
  const stage = Object.assign(new Stage(), { interrupted: true });
  expect(await stage.run(stage.job('a'))).toBe('INTERRUPTED');
  stage.interrupted = false;

  expect(await stage.settle(stage.job('a'))).toMatchObject({ outcome: 'done' });
  expect(stage.calls).toHaveLength(1);
});

test('does not repeat a call that a dead run had recorded as being sent', async () => {
  const stage = new Stage();
  stage.during = () => Promise.reject(new Error('the process dies here'));
  await expect(stage.run(stage.job('a'))).rejects.toThrow('dies here');
  stage.during = async () => undefined;

  expect(await stage.settle(stage.job('a'))).toMatchObject({ outcome: 'unknown' });
  expect(stage.calls).toEqual([]);
});

test.each([
  ['a hold', 'held'],
  ['a pause', 'paused'],
  ['a silence', 'silenced'],
  ['a person who cancels it', 'cancelled'],
  ['the stop of its bulk', 'cancelled'],
])('%s during the wait for its turn prevents the break', async (what, reason) => {
  const stage = new Stage();
  await stage.run(stage.job('first'));
  const job = stage.job('a');
  const jobId = jobIdOf('bulk-insert_ad_break', 'bulk-1', arnOf('a'));
  expect(await stage.run(job, jobId)).toBe('AD_BREAK_PLANNED 1');
  const word = { who: 'mara', reason: 'finals', sinceMs: stage.nowMs };
  await stage.state.transact((tx) => {
    if (reason === 'held') tx.set(kinds.hold.of(arnOf('a')), word);
    if (reason === 'paused') tx.set(kinds.pause.of('global'), word);
    if (what === 'a person who cancels it') cancelAdBreak(tx, arnOf('a'), 'mara');
    if (what === 'the stop of its bulk') {
      tx.set(kinds.bulk.of('bulk-1'), { id: 'bulk-1', action: 'insert_ad_break', state: 'running' } as never);
      stopBulk(tx, 'bulk-1');
    }
  });
  if (reason === 'silenced') stage.silence = { id: 's1', author: 'mara', reason: 'finals' };

  expect(await stage.settle(job, jobId)).toMatchObject({ outcome: 'skipped', reason });
  expect(stage.calls).toEqual(['0 first 30']);
});

test('checks the rule’s min_gap again at the turn, from the end of the last break, whoever inserted it', async () => {
  const stage = new Stage();
  const byPerson = stage.job('a', { cause: { kind: 'operator', who: 'mara', reason: 'now' } });
  await stage.settle(byPerson, 'by-person');
  const byRule = stage.job('a', { minGapMs: 300_000 });
  stage.nowMs = startMs + 339_000;
  expect(await stage.settle(byRule, 'soon')).toMatchObject({
    outcome: 'skipped',
    reason: 'min_gap',
    lastEndsAt: '2026-11-20T20:00:40.000Z',
  });
  stage.nowMs = startMs + 340_000;

  expect(await stage.settle(byRule, 'later')).toMatchObject({ outcome: 'done' });
});

test('a cancelled break does not return when another break of the channel ran before its turn', async () => {
  const stage = new Stage();
  for (const name of ['first', 'second', 'third']) await stage.run(stage.job(name));
  const byPerson = stage.job('a', { cause: { kind: 'operator', who: 'mara', reason: 'half-time' } });
  expect(await stage.run(byPerson, 'taken-back')).toBe('AD_BREAK_PLANNED 3');
  await stage.state.transact((tx) => cancelAdBreak(tx, arnOf('a'), 'mara'));
  await stage.state.transact((tx) => cancelAdBreak(tx, arnOf('second'), 'mara'));
  expect(await stage.settle(byPerson, 'at-once')).toMatchObject({ outcome: 'done' });
  stage.nowMs = startMs + 100_000;

  expect(await stage.settle(byPerson, 'taken-back')).toMatchObject({ reason: 'cancelled', by: 'mara' });
  stage.live = false;
  expect(await stage.settle(byPerson, 'while-offline')).toMatchObject({ reason: 'offline' });
  stage.live = true;
  expect(await stage.settle(byPerson, 'taken-back'), 'however often it runs').toMatchObject({ reason: 'cancelled' });
  expect(stage.calls).toEqual(['0 first 30', '1 a 30']);
});

test('a job that failed permanently leaves the channel to the next one', async () => {
  const stage = Object.assign(new Stage(), { channel: { adConfigurationArn: '', containerFormat: 'TS' } });
  const job = stage.job('a');
  expect(await stage.run(job)).toBe('AD_BREAK_IMPOSSIBLE');
  await stage.giveUp(job, 'AD_BREAK_IMPOSSIBLE');
  stage.channel.adConfigurationArn = 'arn:ads';

  expect(await stage.settle(job, 'mended')).toMatchObject({ outcome: 'done' });
});

test('drops a turn that was missed by a quarter of an hour: nobody expects the break then', async () => {
  const stage = new Stage();
  for (const name of ['first', 'a', 'b']) await stage.run(stage.job(name));
  stage.nowMs = startMs + 900_999;
  expect(await stage.run(stage.job('a'))).toMatchObject({ outcome: 'done' });
  stage.nowMs = startMs + 902_000;

  expect(await stage.run(stage.job('b'))).toMatchObject({
    outcome: 'skipped',
    reason: 'turn_missed',
    at: '2026-11-20T20:00:02.000Z',
  });
});

test('does not repeat a call with unknown outcome, even if another job took the channel during a long downtime', async () => {
  const stage = Object.assign(new Stage(), { answers: ['IVS_NO_ANSWER'] });
  expect(await stage.run(stage.job('a'))).toBe('AD_BREAK_UNCERTAIN 2');
  stage.nowMs += 900_000;
  expect(await stage.settle(stage.job('a'), 'other')).toMatchObject({ outcome: 'done' });
  stage.nowMs += 100_000;

  expect(await stage.settle(stage.job('a'))).toMatchObject({ outcome: 'unknown' });
  expect(stage.calls).toEqual(['0 a 30', '900 a 30']);
});

test.each(['IVS_UNAVAILABLE', 'IVS_ACCESS_DENIED', 'LIMITER_DEADLINE'] as const)(
  'still ends as unknown while the session’s events cannot be read (%s), and its event still counts',
  async (unreadable) => {
    const answers: Answer[] = ['IVS_NO_ANSWER', 'IVS_NO_ANSWER'];
    const stage: Stage = Object.assign(new Stage(), { answers, unreadable });
    expect(await stage.settle(stage.job('a'))).toMatchObject({
      outcome: 'unknown',
      reason: expect.stringContaining(arnOf('a')) as string,
    });

    expect(await stage.run(stage.job('b'))).toBe('AD_BREAK_UNCERTAIN 2');
    stage.unreadable = undefined;
    stage.events = [{ name: 'Ad Break Inserted', timeMs: stage.nowMs }];
    expect(await stage.settle(stage.job('b'))).toMatchObject({ outcome: 'done' });
  },
);

test('min_gap counts a break that may have been inserted', async () => {
  const stage = Object.assign(new Stage(), { answers: ['IVS_NO_ANSWER'] });
  await stage.settle(stage.job('a'));

  expect(await stage.settle(stage.job('a', { minGapMs: 300_000 }), 'soon')).toMatchObject({
    reason: 'min_gap',
    lastEndsAt: '2026-11-20T20:00:40.000Z',
  });
});

test.each([
  ['the daemon stops', new AppError('INTERRUPTED', 'the daemon stops')],
  ['the run took too long', new AppError('JOB_TIMED_OUT', 'too long')],
  ['no other permit came in time', new AppError('LIMITER_DEADLINE', 'no permit')],
])('an unused permit is not a call: %s, and it is sent later', async (_what, lapsed) => {
  const stage: Stage = Object.assign(new Stage(), { lapsed });
  await stage.run(stage.job('a'));
  stage.lapsed = undefined;

  expect(await stage.settle(stage.job('a'))).toMatchObject({ outcome: 'done' });
  expect(stage.calls).toEqual(['0 a 30']);
});

test('after a stop that follows the call, its event decides', async () => {
  const lapsed = new AppError('INTERRUPTED', 'interrupted after it may have been sent', { details: { sent: true } });
  const stage: Stage = Object.assign(new Stage(), { lapsed });
  expect(await stage.run(stage.job('a'))).toBe('INTERRUPTED');
  stage.lapsed = undefined;

  expect(await stage.settle(stage.job('a'))).toMatchObject({ outcome: 'unknown' });
});

test('accepts an AWS clock that is as far behind as is tolerated', async () => {
  const stage = Object.assign(new Stage(), {
    answers: ['IVS_NO_ANSWER'],
    events: [{ name: 'Ad Break Inserted', timeMs: startMs - 9_000 }],
  });

  expect(await stage.settle(stage.job('a'))).toMatchObject({ outcome: 'done', reason: 'IVS lists its event' });
});
