import { expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { kinds } from '#domain/state-registry.ts';
import { hold } from '#rules/controls.ts';
import { closeIncident, openIncident } from '#rules/incidents.ts';
import { MemoryState } from '#store/memory-state.ts';
import { keptLogger } from '#test/support/quiet.ts';
import { clearAlerts, noteFailedJob, raiseAlert } from '#workers/alerts.ts';
import { stateOf } from './alert.ts';
import { AlertLines } from './alert-lines.ts';
import { logAlerts } from './alert-log.ts';
import { acknowledge, endedAlerts, openAlerts } from './alerts.ts';

const channelArn = 'arn:aws:ivs:us-west-2:111122223333:channel/a';

function setup() {
  let nowMs = 1_760_000_000_000;
  let writes = 0;
  let error: string | undefined;
  const memory = new MemoryState({ now: () => nowMs });
  const state = new Proxy(memory, {
    get: (target, name) => {
      if (name === 'transact') writes += 1;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const { logger, lines: logged } = keptLogger();
  const started = () => new AlertLines({ logger, clock: { monotonic: () => nowMs } });
  const sources = {
    shards: [{ name: 'main', state }],
    config: () => ({ loadedAtMs: 0, triedAtMs: 5, error }),
    lines: started(),
    onAcknowledged: (...taken: Parameters<AlertLines['acknowledged']>) => sources.lines.acknowledged(...taken),
  };
  /** Another replica, which finds nothing wrong with its own configuration. */
  const other = { ...sources, config: () => ({ loadedAtMs: 0 }), lines: started() };
  return {
    state,
    /** The same replica after a restart. */
    restarted: () => ({ ...sources, lines: started() }),
    /** What was logged since the last call. */
    logged: () => logged.splice(0),
    sources,
    other,
    writesOf: async (work: () => Promise<unknown>) => {
      writes = 0;
      await work();
      return writes;
    },
    pass: (ms: number) => void (nowMs += ms),
    breakConfig: (text: string | undefined) => void (error = text),
    ended: () => endedAlerts(sources).map((each) => [each.kind, stateOf(each, nowMs), each.acknowledged?.who]),
    keyless: () => state.transact((tx) => raiseAlert(tx, { kind: 'keyless', channelArn, text: 'no key', jobId: 'j' })),
  };
}

test('a finished alert of any kind is listed as resolved for a day, with who acknowledged it; unchanged alerts are not written', async () => {
  const t = setup();
  await t.keyless();
  await logAlerts(t.sources);
  expect(t.ended()).toEqual([]);
  t.pass(5_000);
  expect(await t.writesOf(() => logAlerts(t.sources))).toBe(0);
  await acknowledge(t.sources, openAlerts(t.sources)[0]!.id, { who: 'user mara', note: 'on it' });
  await t.state.transact((tx) => clearAlerts(tx, channelArn));
  t.pass(5_000);
  await logAlerts(t.sources);
  expect(t.ended()).toEqual([['keyless', 'resolved', 'user mara']]);
  expect(endedAlerts(t.sources)[0]).toMatchObject({ title: 'Channel without a stream key', cause: 'no key' });

  // It begins again, and nobody has acknowledged that.
  t.pass(5_000);
  await t.keyless();
  await logAlerts(t.sources);
  expect(t.ended()).toEqual([]);
  await t.state.transact((tx) => clearAlerts(tx, channelArn));
  t.pass(5_000);
  await logAlerts(t.sources);
  expect(t.ended()).toEqual([['keyless', 'resolved', undefined]]);
  t.pass(86_400_001);
  await logAlerts(t.sources);
  expect(t.ended()).toEqual([]);
  expect(t.state.view.count(kinds.seenAlert)).toBe(0);
});

test('an alert that a person dismissed is resolved by them at once', async () => {
  const t = setup();
  const failed = { action: 'notify', code: 'WEBHOOK_REJECTED', message: 'said 404', who: 'rule a', channelArn };
  await t.state.transact((tx) => noteFailedJob(tx, { jobId: 'j', ...failed }));
  await acknowledge(t.sources, openAlerts(t.sources)[0]!.id, { who: 'token ann', note: 'a typo' });
  expect(t.ended()).toEqual([['failed_job', 'resolved', 'token ann']]);
  await logAlerts(t.sources);
  expect(t.ended()).toEqual([['failed_job', 'resolved', 'token ann']]);
});

test('an unreachable Redis does not stop alerts on the other Redis servers from being recorded', async () => {
  const [away, t] = [setup(), setup()];
  await away.keyless();
  await t.keyless();
  const lost = new AppError('REDIS_UNREACHABLE', 'it does not answer');
  const state = Object.assign(Object.create(away.state), { transact: () => Promise.reject(lost) });
  const shards = [
    { name: 'one', state },
    { name: 'two', state: t.state },
  ];
  await expect(logAlerts({ ...t.sources, shards })).rejects.toBe(lost);
  expect(t.state.view.count(kinds.seenAlert)).toBe(1);
});

test('an alert that only one replica can see does not end because another replica does not see it', async () => {
  const t = setup();
  t.breakConfig('config.yaml:3:1 expected a number');
  await logAlerts(t.sources);
  for (let minute = 0; minute < 10; minute += 1) {
    t.pass(60_000);
    await logAlerts(t.sources);
    await logAlerts(t.other);
  }
  expect(t.ended()).toEqual([]);
  t.breakConfig(undefined);
  t.pass(160_000);
  await logAlerts(t.other);
  expect(t.ended()).toEqual([['config', 'resolved', undefined]]);
});

test('the beginning and the end of an alert are logged once in the fleet, and a restart repeats nothing', async () => {
  const t = setup();
  await t.keyless();
  await logAlerts(t.sources);
  await logAlerts(t.other);
  const about = { kind: 'keyless', severity: 'critical', cause: 'no key', channelArn };
  expect(t.logged()).toMatchObject([{ level: 40, msg: 'an alert began', ...about, id: `alert:keyless|${channelArn}` }]);
  t.pass(60_000);
  await logAlerts(t.restarted());
  expect(t.logged()).toEqual([]);
  t.pass(10_000);
  await t.state.transact((tx) => clearAlerts(tx, channelArn));
  await logAlerts(t.other);
  await logAlerts(t.sources);
  expect(t.logged()).toMatchObject([{ level: 30, msg: 'an alert ended', ...about, lastedMs: 70_000 }]);
  t.pass(5_000);
  await t.keyless();
  await logAlerts(t.sources);
  expect(t.logged()).toMatchObject([{ msg: 'an alert began', ...about }]);
});

test('each replica logs an incident that begins or ends while it runs', async () => {
  const t = setup();
  const open = (rule: string) =>
    t.state.transact((tx) => openIncident(tx, 'aggregate', rule, { affected: 9, live: 10, text: `${rule}: 9 of 10` }));
  await open('before');
  await logAlerts(t.sources);
  expect(t.logged()).toEqual([]);
  t.pass(5_000);
  await open('many-starve');
  await logAlerts(t.sources);
  await logAlerts(t.sources);
  const about = { kind: 'incident', rule: 'many-starve', cause: 'many-starve: 9 of 10' };
  expect(t.logged()).toMatchObject([{ level: 40, msg: 'an alert began', ...about }]);
  t.pass(5_000);
  await t.state.transact((tx) => closeIncident(tx, 'many-starve', tx.nowMs));
  await logAlerts(t.sources);
  expect(t.logged()).toMatchObject([{ level: 30, msg: 'an alert ended', ...about, lastedMs: 5_000 }]);
});

test('a flood of alerts is one line each up to a bound, then a number', async () => {
  const t = setup();
  const fail = (from: number) =>
    t.state.transact((tx) => {
      for (let n = from; n < from + 100; n += 1)
        noteFailedJob(tx, {
          jobId: `j${n}`,
          action: 'notify',
          code: `CODE_${n}`,
          message: 'no',
          who: 'rule a',
          channelArn,
        });
    });
  await fail(0);
  await logAlerts(t.sources);
  expect(t.logged()).toHaveLength(60);
  t.pass(5_000);
  await fail(100);
  await logAlerts(t.sources);
  expect(t.logged()).toEqual([]);
  t.pass(60_000);
  await logAlerts(t.sources);
  expect(t.logged()).toMatchObject([{ level: 40, leftOut: 140, mostLines: 60 }]);
});

test('who acknowledges or dismisses an alert is logged with the note', async () => {
  const t = setup();
  await t.keyless();
  // This one ends by itself.
  await t.state.transact((tx) => hold(tx, { channelArn, who: 'mara', reason: 'x', untilMs: tx.nowMs + 60_000 }));
  t.pass(55_000);
  await t.state.transact((tx) =>
    noteFailedJob(tx, { jobId: 'j', action: 'notify', code: 'X', message: 'no', who: 'rule a', channelArn }),
  );
  for (const { id } of openAlerts(t.sources)) await acknowledge(t.sources, id, { who: 'token ann', note: 'on it' });
  const by = { level: 30, who: 'token ann', reason: 'on it' };
  expect(t.logged()).toMatchObject([
    { kind: 'keyless', msg: 'an alert was acknowledged', ...by },
    { kind: 'hold_ending', msg: 'an alert was acknowledged', ...by },
    { kind: 'failed_job', msg: 'an alert was dismissed', ...by },
  ]);
});
