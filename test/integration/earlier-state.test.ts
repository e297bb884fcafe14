// A Redis written by an earlier version is read as it is and used. test/fixtures/earlier-state.json has the commands that write what
// version dd65552 left there: streams, active rules, an incident, controls, an alert, an intent, a bulk action and logs.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ChannelArn } from '#domain/channel.ts';
import { isOnHold, isPaused, readHold, silencesInForce } from '#domain/controls-in-force.ts';
import type { Kind } from '#domain/state-key.ts';
import { kinds, logs, notes } from '#domain/state-registry.ts';
import { auditEntries } from '#journal/audit.ts';
import { queryDecisions } from '#journal/query.ts';
import { resume } from '#rules/controls.ts';
import { decideDue, nextDueMs } from '#rules/decide.ts';
import { dueTimes, timers } from '#rules/timers.ts';
import { StoredRecords } from '#shard/stored-records.ts';
import { RedisState } from '#store/shared-state.ts';
import { listStreams } from '#streams/queries.ts';
import { quietLogger, testMetrics } from '#test/support/quiet.ts';
import { redisScope } from '#test/support/redis.ts';
import { feedBulks } from '#workers/bulk.ts';
import { intentsOf, sweepIntents } from '#workers/intents.ts';
import { keyAges } from '#workers/key-record.ts';

const arn = (id: string) => `arn:aws:ivs:us-west-2:111122223333:channel/${id}` as ChannelArn;

async function setup() {
  const scope = await redisScope();
  const file = join(import.meta.dirname, '..', 'fixtures', 'earlier-state.json');
  const commands = JSON.parse(await readFile(file, 'utf8')) as [command: string, key: string, ...rest: string[]][];
  for (const [command, key, ...rest] of commands) await scope.redis.call(command, scope.prefix + key, ...rest);
  const metrics = testMetrics();
  const records = new StoredRecords({ logger: quietLogger(), metrics, shard: 'main' });
  const state = new RedisState({
    redis: scope.connect(),
    prefix: scope.prefix,
    metrics,
    readEntry: (key, stored) => records.read(key, stored),
  });
  await state.refresh();
  const written = commands
    .filter(([command, key]) => command === 'hset' && key === ':state')
    .map(([, , field]) => field!);
  return { state, records, written, [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose]() };
}

test('finds every entry of an earlier version under its key', async () => {
  await using before = await setup();
  const { view } = before.state;

  const found: string[] = [
    ...(Object.values(kinds) as Kind<unknown>[]).flatMap((kind) =>
      Array.from(view.entries(kind), ([id]) => kind.of(id)),
    ),
    ...Object.values(notes).flatMap((note) =>
      typeof note === 'function' ? [] : view.get<unknown>(note) === undefined ? [] : [note],
    ),
    ...[notes.sweep('all'), notes.sweep('starving'), notes.openIncident('many')].filter(
      (note) => view.get<unknown>(note) !== undefined,
    ),
  ];

  expect(found.toSorted()).toEqual(before.written.toSorted());
  expect(before.records.odd).toEqual(new Map());
});

test('the entries mean the same: streams, timers, controls, alerts, waiting actions and logs', async () => {
  await using before = await setup();
  const { state } = before;
  const { view } = state;

  expect(
    listStreams(view, { state: 'live', limit: 10 }).streams.map(({ channelArn, health }) => [channelArn, health]),
  ).toEqual([[arn('a'), 'STARVING']]);
  expect(view.get(kinds.past.of(arn('b')))?.map(({ state: how }) => how)).toEqual(['ended']);
  expect(Array.from(timers(view), ([, { kind, rule }]) => `${kind} ${rule}`).toSorted()).toEqual([
    'for later',
    'step slate',
  ]);
  expect(view.get(kinds.ruleMemory.of('slate', arn('a')))?.firing).toMatchObject({ acted: true, mode: 'enforce' });
  expect(isPaused(view)).toBe(true);
  expect(readHold(view, arn('b'), state.nowMs())).toMatchObject({ who: 'token ann', reason: 'rehearsal' });
  expect([isOnHold(view, arn('b'), state.nowMs()), isOnHold(view, arn('c'), state.nowMs())]).toEqual([true, false]);
  expect(silencesInForce(view, state.nowMs()).map(([, { matchers }]) => matchers)).toEqual([['channel="c"']]);
  expect(view.get(kinds.alert.of('keyless', arn('c')))?.jobId).toBe('rotate-1');
  expect(intentsOf(view).map(({ kind, summary }) => [kind, summary])).toEqual([['set_recording', 'recording off']]);
  expect(keyAges(view)).toMatchObject([{ channelArn: arn('c'), deliveredTo: 'file /keys/c' }]);
  expect(view.get(kinds.lease.of(arn('c')))?.token).toBe(3);
  const { decisions } = await queryDecisions(state, { limit: 10 });
  expect(decisions.map(({ rule, outcome }) => `${rule} ${outcome}`)).toContain('slate acted');
  const audited: string[] = [];
  for await (const { what } of auditEntries(state, {})) audited.push(what);
  expect(audited).toEqual(['pause', 'silence', 'hold']);
  expect(await state.readLog(logs.journal, { limit: 10 })).not.toEqual([]);
});

test('work continues: a resume, a bulk action, an intent whose stream ends, timers that become due', async () => {
  await using before = await setup();
  const { state } = before;
  const jobs = () => Array.from(state.view.entries(kinds.job), ([, { name }]) => name).toSorted();
  expect(jobs()).toEqual(['notify', 'put_metadata']);

  await state.transact((tx) => {
    resume(tx, { who: 'token ann', reason: 'drill over' });
    feedBulks(tx);
    const record = tx.get(kinds.stream.of(arn('a')))!;
    tx.set(kinds.stream.of(arn('a')), { ...record, state: 'ended' });
    sweepIntents(tx);
  });

  expect(isPaused(state.view)).toBe(false);
  expect(jobs()).toEqual(['notify', 'put_metadata', 'set_recording', 'tag']);
  expect(state.view.count(kinds.bulkItem)).toBe(0);
  const dueMsOf = dueTimes(state.view, state.nowMs());
  for (const [, timer] of timers(state.view)) expect(dueMsOf(timer)).toBeGreaterThan(timer.sinceMs);
  expect(nextDueMs(state.view)).toBeTypeOf('number');
  await state.transact((tx) =>
    decideDue(tx, { rules: [], inhibitRules: [], timeIntervals: [], receivers: [], hash: 'none' }, {}),
  );
});
