import { expect, test } from 'vitest';
import type { ActionJob } from '#domain/action.ts';
import { AppError } from '#domain/errors.ts';
import { kinds } from '#domain/state-registry.ts';
import { audit } from '#journal/audit.ts';
import { closeIncident, openIncident } from '#rules/incidents.ts';
import { MemoryState } from '#store/memory-state.ts';
import { raiseAlert } from '#workers/alerts.ts';
import { acknowledge, openAlerts } from './alerts.ts';
import { type ShiftSummarySettings, summarizeShift } from './shift-summary.ts';

const channelArn = 'arn:aws:ivs:us-west-2:111122223333:channel/a';

function setup(start: string, settings: Partial<ShiftSummarySettings> = {}) {
  let nowMs = Date.parse(start);
  const state = new MemoryState({ now: () => nowMs });
  const asked: { now: ShiftSummarySettings | undefined } = {
    now: { receiver: 'noc', at: ['08:00'], location: 'Europe/London', ...settings },
  };
  const options = {
    shards: [{ name: 'main', state, relay: { nudge: () => undefined } }],
    config: () => ({ loadedAtMs: 0 }),
    settings: () => asked.now,
    externalUrl: 'https://noc.example/ops/',
    readAtMost: 1_000,
  };
  const look = () => summarizeShift(options);
  return {
    state,
    options,
    asked,
    look,
    at: async (time: string) => {
      nowMs = Date.parse(time);
      return look();
    },
    to: (time: string) => void (nowMs = Date.parse(time)),
    texts: () =>
      Array.from(state.view.entries(kinds.job), ([, { payload }]) => (payload as unknown as ActionJob<'notify'>).params)
        .filter(({ receiver }) => receiver === 'noc')
        .map(({ text }) => text),
    did: (what: string, outcome = 'done', more: { who?: string; jobId?: string } = {}) =>
      state.transact((tx) => audit(tx, { who: 'rule a', what, outcome, why: '', ...more })),
  };
}

test('sends one message at each set time with what happened since the last one, for any number of replicas, and across restarts', async () => {
  const t = setup('2026-11-29T20:00:00Z');
  expect(await t.look()).toBe(false);
  t.to('2026-11-30T01:00:00Z');
  await t.state.transact((tx) => {
    openIncident(tx, 'aggregate', 'mass-starvation', { affected: 120, live: 400, text: 'x' });
  });
  t.to('2026-11-30T01:14:00Z');
  await t.state.transact((tx) => closeIncident(tx, 'mass-starvation', tx.nowMs));
  for (let index = 0; index < 13; index += 1) await t.did('stop_stream');
  await t.did('rotate_stream_key', 'done', { who: 'token mara' });
  await t.did('rotate_stream_key', 'failed');
  // Requests, messages and skipped actions do not count as actions.
  await t.did('rotate_stream_key', 'requested', { who: 'token mara' });
  await t.did('notify');
  await t.did('stop_stream', 'skipped');
  await t.did('approve', 'done', { who: 'token ann' });
  await t.did('approve', 'done', { who: 'token bob', jobId: 'j-1' });
  await t.did('approve', 'done', { who: 'token bob', jobId: 'j-2' });
  await t.did('reject', 'done', { who: 'token bob' });
  await t.did('approval', 'timed_out');
  await t.did('hold', 'refused', { who: 'token eve' });
  await t.state.transact((tx) => raiseAlert(tx, { kind: 'keyless', channelArn, text: 'no key', jobId: 'j' }));
  await acknowledge(t.options, openAlerts(t.options)[0]!.id, { who: 'user mara', note: '' });

  expect(await t.at('2026-11-30T08:00:00Z')).toBe(false);
  t.to('2026-11-30T08:00:06Z');
  expect((await Promise.all([t.look(), t.look()])).filter(Boolean)).toHaveLength(1);
  expect(t.texts()).toEqual([
    [
      'From 2026-11-29 20:00 to 2026-11-30 08:00 (Europe/London): 1 incident, 14 actions, 2 approvals, 1 refused',
      'Incidents: mass-starvation (120 channels, 14 min)',
      'Actions: 13 stop_stream, 1 rotate_stream_key; 1 of them asked for by people',
      'Also: 1 failed action, 1 approval that nobody answered in time, 1 refused request',
      'Open, and taken: Channel without a stream key (mara)',
      'https://noc.example/ops/#/alerts',
    ].join('\n'),
  ]);
  expect(await t.look()).toBe(false);

  // The daemon was down at the next times: one message covers all of them.
  expect(await t.at('2026-12-02T11:00:00Z')).toBe(true);
  expect(await t.look()).toBe(false);
  expect(t.texts()[1]).toMatch(
    /^From 2026-11-30 08:00 to 2026-12-02 08:00 \(Europe\/London\): 0 incidents, 0 actions, 0 approvals, 0 refused\nOpen/,
  );
});

test('follows the clocks of its time zone: an hour earlier in summer, skipped if the clocks skip the time, once if it occurs twice', async () => {
  const spring = setup('2026-03-28T12:00:00Z', { at: ['01:30'] });
  await spring.look();
  // 01:30 does not exist on the day when the clocks go forward; the next time is 00:30 UTC.
  expect(await spring.at('2026-03-29T23:00:00Z')).toBe(false);
  expect(await spring.at('2026-03-30T00:30:06Z')).toBe(true);
  const autumn = setup('2026-10-24T12:00:00Z', { at: ['01:30'] });
  await autumn.look();
  expect(await autumn.at('2026-10-25T00:30:06Z')).toBe(true);
  expect(await autumn.at('2026-10-25T01:30:06Z')).toBe(false);
  expect(await autumn.at('2026-10-26T01:30:06Z')).toBe(true);
});

test('says “at least” if there is more than it reads', async () => {
  const t = setup('2026-11-29T20:00:00Z');
  await t.look();
  t.to('2026-11-29T21:00:00Z');
  await t.state.transact((tx) => {
    for (let index = 0; index < 1_100; index += 1) audit(tx, { who: 'rule a', what: 'tag', outcome: 'done', why: '' });
    for (let index = 0; index < 200; index += 1) {
      openIncident(tx, 'aggregate', `rule-${index}`, { affected: 1, live: 2, text: 'x' });
      closeIncident(tx, `rule-${index}`, tx.nowMs);
    }
  });
  await t.at('2026-11-30T08:00:06Z');
  expect(t.texts()[0]).toContain(
    ': at least 200 incidents, at least 1000 actions, at least 0 approvals, at least 0 refused',
  );
});

test('with several processes, the one with the first account sends it, and names the accounts that it cannot read', async () => {
  const t = setup('2026-11-29T20:00:00Z');
  const lost = new AppError('ACCOUNT_NOT_CARRIED', 'its Redis cannot be asked');
  const all = { ...t.options, others: [{ name: 'europe', read: () => Promise.reject(lost) }] };
  await summarizeShift(all);
  t.to('2026-11-30T08:00:06Z');
  expect(await summarizeShift({ ...all, isFirst: () => false })).toBe(false);
  expect(await summarizeShift({ ...all, standsBy: () => true })).toBe(false);
  expect(await summarizeShift(all)).toBe(true);
  expect(t.texts()[0]).toMatch(/: at least 0 incidents, at least 0 actions, .*\nNot counted, .*: europe\n/);
});

test('names a Redis that is away, and summarizes the rest', async () => {
  const t = setup('2026-11-29T20:00:00Z');
  const lost = () => Promise.reject(new AppError('REDIS_UNREACHABLE', 'it does not answer'));
  const away = new MemoryState({ now: () => t.state.nowMs() });
  Object.assign(away, { refresh: lost, readLog: lost });
  const shards = [...t.options.shards, { name: 'two', state: away, relay: { nudge: () => undefined } }];
  await summarizeShift({ ...t.options, shards });
  t.to('2026-11-30T08:00:06Z');
  expect(await summarizeShift({ ...t.options, shards })).toBe(true);
  expect(t.texts()[0]).toMatch(/: at least 0 incidents, at least 0 actions, .*\nNot counted, .*: two\n/);
});

test('new times apply at once and cover what was not yet summarized; removing the setting removes the state', async () => {
  const t = setup('2026-11-29T20:00:00Z');
  await t.look();
  t.asked.now = { receiver: 'noc', at: ['06:00', '18:00'], location: 'UTC' };
  await t.at('2026-11-29T21:00:00Z');
  expect(await t.at('2026-11-30T06:00:06Z')).toBe(true);
  expect(t.texts()).toEqual([expect.stringMatching(/^From 2026-11-29 20:00 to 2026-11-30 06:00 \(UTC\)/)]);
  t.asked.now = undefined;
  await t.look();
  t.asked.now = { receiver: 'noc', at: ['06:00'], location: 'UTC' };
  expect(await t.at('2026-12-05T12:00:00Z')).toBe(false);
  expect(await t.look()).toBe(false);
});
