import { expect, test } from 'vitest';
import type { ActionJob } from '#domain/action.ts';
import { AppError } from '#domain/errors.ts';
import { kinds } from '#domain/state-registry.ts';
import { hold, pause, silence } from '#rules/controls.ts';
import { MemoryState } from '#store/memory-state.ts';
import { clearAlerts, dropOldAlerts, raiseAlert } from '#workers/alerts.ts';
import { stateOf } from './alert.ts';
import { acknowledge, openAlerts } from './alerts.ts';
import { type EscalationSettings, escalate } from './escalation.ts';

const channelArn = 'arn:aws:ivs:us-west-2:111122223333:channel/a';
const minute = 60_000;
const config = () => ({ loadedAtMs: 0 });

function account() {
  let nowMs = Date.UTC(2026, 10, 20);
  const state = new MemoryState({ now: () => nowMs });
  let nudges = 0;
  const shard = { name: 'main', state, relay: { nudge: () => void (nudges += 1) } };
  const look = (settings: EscalationSettings, externalUrl?: string) =>
    escalate({ shards: [shard], config, settings: () => settings, externalUrl });
  /** Receivers and texts of the enqueued messages. */
  const messages = () =>
    Array.from(state.view.entries(kinds.job), ([, { payload }]) => {
      const { receiver, text } = (payload as unknown as ActionJob<'notify'>).params;
      return `${receiver}: ${text}`;
    });
  return {
    state,
    shard,
    look,
    messages,
    pass: (ms: number) => void (nowMs += ms),
    nudges: () => nudges,
    keyless: () => state.transact((tx) => raiseAlert(tx, { kind: 'keyless', channelArn, text: 'no key', jobId: 'a' })),
  };
}

const to = (severity: 'critical' | 'warning' = 'critical'): EscalationSettings => ({
  escalate: { after: '15m', receiver: 'lead', severity },
});

test('an alert that nobody acknowledged in time is escalated once for all replicas, and again if it begins again', async () => {
  const { look, messages, pass, keyless, state, nudges } = account();
  await keyless();
  pass(15 * minute - 1);
  expect(await look(to())).toEqual([]);
  pass(1);
  const told = await Promise.all([look(to(), 'https://autopilot.example/'), look(to(), 'https://autopilot.example/')]);
  expect(told.flat()).toHaveLength(1);
  expect(await look(to())).toEqual([]);
  expect(messages()).toEqual([
    expect.stringMatching(
      /^lead: Not acknowledged for 15 min: Channel without a stream key: no key\nhttps:\/\/autopilot\.example\/#\/alerts\/alert%3Akeyless%7Carn/,
    ),
  ]);
  expect(nudges()).toBe(1);
  const [job] = Array.from(
    state.view.entries(kinds.job),
    ([, { payload }]) => payload as unknown as ActionJob<'notify'>,
  );
  expect(job?.alert?.needs).toMatchObject({ kind: 'alert', sinceMs: state.nowMs() });

  await state.transact((tx) => clearAlerts(tx, channelArn));
  pass(minute);
  await keyless();
  pass(15 * minute);
  expect(await look(to())).toHaveLength(1);
});

test('an acknowledgement does not cover what joins the alert later: that is open, and is escalated when it has waited', async () => {
  const { look, messages, pass, state, shard } = account();
  const sources = { shards: [shard], config };
  const ask = (id: string) =>
    state.transact((tx) =>
      tx.set(kinds.approval.of(id), {
        id,
        state: 'waiting',
        rule: 'stop',
        list: 'actions',
        step: 0,
        action: 'stop_stream',
        params: {},
        askedAtMs: tx.nowMs,
        untilMs: tx.nowMs + 60 * minute,
        why: 'starving',
      } as never),
    );
  await ask('ap-1');
  pass(minute);
  await acknowledge(sources, 'approval:stop|actions|0', { who: 'user mara', note: '' });
  expect(openAlerts(sources)).toMatchObject([{ acknowledged: { who: 'user mara' } }]);
  pass(minute);
  await ask('ap-2');
  expect(openAlerts(sources)[0]?.acknowledged).toBeUndefined();

  pass(14 * minute - 1);
  expect(await look(to())).toEqual([]);
  pass(1);
  expect(await look(to())).toEqual(['approval:stop|actions|0']);
  // Whatever joins later is escalated, but no more often than the wait time allows.
  pass(minute);
  await ask('ap-3');
  expect(await look(to())).toEqual([]);
  pass(14 * minute);
  expect(await look(to())).toEqual(['approval:stop|actions|0']);
  expect(messages()).toHaveLength(2);
});

test('an alert that each replica sees by itself is escalated once, although each saw it begin at a different time', async () => {
  const { shard, state, pass } = account();
  const beganMs = state.nowMs();
  const lookOf = (triedAtMs: number) =>
    escalate({
      shards: [shard],
      config: () => ({ loadedAtMs: 0, triedAtMs, error: 'config.yaml:3 expected a number' }),
      settings: () => to('warning'),
      externalUrl: undefined,
    });
  pass(20 * minute);
  expect(await lookOf(beganMs)).toEqual(['config']);
  expect(await lookOf(beganMs + minute)).toEqual([]);
  expect(await lookOf(beganMs)).toEqual([]);
  const againMs = state.nowMs() + 1;
  pass(20 * minute);
  expect(await lookOf(againMs)).toEqual(['config']);
});

test('does not escalate acknowledged or less severe alerts, or any without the setting; an acknowledged alert names its holder', async () => {
  const { look, pass, keyless, shard, state } = account();
  await keyless();
  const sources = { shards: [shard], config };
  const [alert] = openAlerts(sources);
  expect(stateOf(alert!, state.nowMs())).toBe('open');
  await acknowledge(sources, alert!.id, { who: 'token ann', note: 'on it' });
  pass(60 * minute);
  expect(await look(to())).toEqual([]);
  const [taken] = openAlerts(sources);
  expect(taken).toMatchObject({ acknowledged: { who: 'token ann', note: 'on it' } });
  expect(stateOf(taken!, state.nowMs())).toBe('acknowledged');
  // Somebody else takes it over.
  await acknowledge(sources, alert!.id, { who: 'token bob', note: '' });
  expect(openAlerts(sources)).toMatchObject([{ acknowledged: { who: 'token bob' } }]);

  const other = account();
  await other.state.transact((tx) => {
    const text = 'slowed down';
    tx.set(kinds.alert.of('rate', 'r'), { kind: 'rate', rule: 'r', ruleHash: '', sinceMs: tx.nowMs, text, values: {} });
  });
  other.pass(60 * minute);
  expect(await other.look({})).toEqual([]);
  expect(await other.look(to())).toEqual([]);
  expect(await other.look(to('warning'))).toHaveLength(1);
});

test('announces the end of a silence and of a hold once in advance, also during a pause, and never for a hold without an end', async () => {
  const { look, messages, pass, state } = account();
  const by = { who: 'token ann', reason: 'finals' };
  await state.transact((tx) => {
    silence(tx, { ...by, matchers: ['rule="x"'], endsMs: tx.nowMs + 120 * minute });
    hold(tx, { ...by, channelArn, untilMs: tx.nowMs + 120 * minute });
    hold(tx, { ...by, channelArn: `${channelArn}2` });
    pause(tx, by);
  });
  const settings: EscalationSettings = { endings: { receiver: 'noc' } };
  expect(await look(settings)).toEqual([]);
  pass(111 * minute);
  expect(await look(settings)).toHaveLength(2);
  expect(await look(settings)).toEqual([]);
  expect(messages().toSorted()).toEqual([
    expect.stringMatching(/^noc: A hold is about to end at 2026-11-20T02:00:00\.000Z: .*finals \(ann\)/),
    expect.stringMatching(/^noc: A silence is about to end at 2026-11-20T02:00:00\.000Z: rule="x": finals \(ann\)/),
  ]);
});

test('an unreachable Redis does not stop escalations for accounts on other Redis servers', async () => {
  const [away, here] = [account(), account()];
  await away.keyless();
  away.pass(minute);
  here.pass(minute);
  await here.keyless();
  away.pass(15 * minute);
  here.pass(15 * minute);
  const lost = new AppError('REDIS_UNREACHABLE', 'it does not answer');
  away.state.transact = () => Promise.reject(lost);
  const shards = [
    { ...away.shard, name: 'one' },
    { ...here.shard, name: 'two' },
  ];
  const look = () => escalate({ shards, config, settings: () => to(), externalUrl: undefined });
  await expect(look()).rejects.toBe(lost);
  expect(here.messages()).toHaveLength(1);
  expect(here.nudges()).toBe(1);
});

test('forgets what was escalated after a month', async () => {
  const { look, pass, keyless, state } = account();
  await keyless();
  pass(60 * minute);
  await look(to());
  expect(state.view.count(kinds.escalated)).toBe(1);
  pass(32 * 86_400_000);
  await state.transact(dropOldAlerts);
  expect(state.view.count(kinds.escalated)).toBe(0);
});
