// The audit of stream keys: fifty at a time, no conclusion from what cannot be read, alerts that begin and end with the key's state.
import { expect, test } from 'vitest';
import type { ChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import { systemClock } from '#runtime/clock.ts';
import { arnOf, Noticing, startMs } from '#test/support/streams.ts';
import type { KeyReader, Observe } from '../ports.ts';
import { auditKeys, type KeyAuditOptions } from './audit.ts';
import { auditWhenDue } from './key-audits.ts';

const keyOf = (name: string) => `arn:aws:ivs:us-west-2:111122223333:stream-key/${name}`;

async function setup(channels: number) {
  const noticing = new Noticing();
  const { state } = noticing;
  const arns = Array.from({ length: channels }, (_, index) => arnOf(`c${String(index).padStart(4, '0')}`));
  /** The existing keys, by channel. */
  const keys = new Map<ChannelArn, string[]>(arns.map((arn, index) => [arn, [keyOf(`k${index}`)]]));
  const unreadable = new Set<string>();
  /** Channels and keys that get an unusable answer. */
  const odd = new Set<string>();
  const asked = { batches: [] as number[], listed: [] as ChannelArn[] };
  await state.transact((tx) => {
    const settings = { type: 'STANDARD', latencyMode: 'LOW', recordingConfigurationArn: '', tags: {} };
    for (const arn of arns) tx.set(kinds.channel.of(arn), { arn, name: arn.slice(-4), ...settings });
  });
  let meanwhile = async () => {};
  const observe: Observe = (observation) => noticing.see(observation);
  const reader: KeyReader = {
    async getStreamKeys(wanted) {
      asked.batches.push(wanted.length);
      if (wanted.some((arn) => odd.has(arn))) throw new AppError('IVS_ANSWER_INVALID', 'no list');
      const all = [...keys].flatMap(([channelArn, own]) => own.map((arn) => ({ arn, channelArn })));
      const found = all.filter(({ arn }) => wanted.includes(arn) && !unreadable.has(arn));
      const missing = wanted.filter((arn) => !unreadable.has(arn) && !all.some((key) => key.arn === arn));
      return { keys: found, missing };
    },
    async listStreamKeys(arn) {
      asked.listed.push(arn);
      if (odd.has(arn)) throw new AppError('IVS_ANSWER_INVALID', 'no list');
      const found = keys.get(arn);
      await meanwhile();
      return found;
    },
  };
  const signal = AbortSignal.timeout(120_000);
  const run = (more: Pick<KeyAuditOptions, 'yieldsTo'> = {}) =>
    auditKeys({ view: state.view, now: () => noticing.nowMs, observe, reader, ...more }, signal);
  const runWhenDue = (replica = 'one') => auditWhenDue({ state, reader, observe, replica }, signal);
  const alerts = () => [...state.view.entries(kinds.alert)].map(([id]) => id);
  const known = (arn: ChannelArn) => state.view.get(kinds.streamKey.of(arn));
  return {
    noticing,
    state,
    arns,
    keys,
    unreadable,
    odd,
    asked,
    run,
    runWhenDue,
    alerts,
    known,
    whileListing: (does: () => Promise<void>) => {
      meanwhile = does;
    },
  };
}

test('lists keys once, and from then on reads fifty at a time', async () => {
  const t = await setup(120);
  expect(await t.run()).toEqual({ channels: 120, listedTo: undefined });
  expect([t.asked.batches, t.asked.listed.length]).toEqual([[], 120]);

  t.noticing.nowMs += 3_600_000;
  t.noticing.changes.length = 0;
  expect(await t.run()).toEqual({ channels: 120, listedTo: undefined });
  expect([t.asked.batches, t.asked.listed.length]).toEqual([[50, 50, 20], 120]);
  expect(t.noticing.changes).toEqual([]);
  expect(t.known(t.arns[7]!)).toEqual({ keyArn: keyOf('k7'), sinceMs: startMs, made: false });
});

test('a key that replaced another one is new, and a key that was rotated here has its date', async () => {
  const t = await setup(2);
  await t.run();
  const [a, b] = t.arns as [ChannelArn, ChannelArn];
  t.noticing.nowMs += 86_400_000;
  t.keys.set(a, [keyOf('other')]);
  t.keys.set(b, [keyOf('rotated')]);
  const rotation = { rotationId: 'r', oldKeyArns: [], sink: 'file /k', repairs: 0, deliveredKeyArn: keyOf('rotated') };
  const atMs = startMs + 3_600_000;
  await t.state.transact((tx) =>
    tx.set(kinds.key.of(b), { ...rotation, startedAtMs: atMs, updatedAtMs: atMs + 1, finishedAtMs: atMs + 1 }),
  );
  await t.run();
  expect(t.known(a)).toEqual({ keyArn: keyOf('other'), sinceMs: t.noticing.nowMs, made: false });
  expect(t.known(b)).toEqual({ keyArn: keyOf('rotated'), sinceMs: atMs, made: true });
});

test('a channel without a key raises an alert until it has one', async () => {
  const t = await setup(2);
  await t.run();
  const arn = t.arns[0]!;
  t.keys.set(arn, []);
  await t.run();
  expect(t.alerts()).toEqual([`keyless|${arn}`]);
  expect(t.known(arn)).toBeUndefined();
  t.keys.set(arn, [keyOf('new')]);
  t.noticing.nowMs += 1_000;
  await t.run();
  expect(t.alerts()).toEqual([]);
  expect(t.known(arn)).toMatchObject({ keyArn: keyOf('new') });
});

test('ignores keys that cannot be read, belong to another channel, or to a deleted one', async () => {
  const t = await setup(3);
  await t.run();
  const [a, b, c] = t.arns as [ChannelArn, ChannelArn, ChannelArn];
  t.unreadable.add(keyOf('k0'));
  t.keys.delete(b);
  t.keys.set(c, [keyOf('k2')]);
  await t.run();
  expect(t.alerts()).toEqual([]);
  expect(t.known(a)).toMatchObject({ keyArn: keyOf('k0'), sinceMs: startMs });

  await t.state.transact((tx) => tx.delete(kinds.channel.of(b)));
  await t.run();
  expect(t.known(b)).toBeUndefined();
});

test('does not report a rotation between its old and new key, nor one that ended during the audit', async () => {
  const t = await setup(1);
  const arn = t.arns[0]!;
  t.keys.set(arn, []);
  const rotation = { rotationId: 'r', oldKeyArns: [], sink: 'file /k', repairs: 0 };
  const during = { ...rotation, startedAtMs: t.noticing.nowMs, updatedAtMs: t.noticing.nowMs };
  await t.state.transact((tx) => tx.set(kinds.key.of(arn), during));
  await t.run();
  expect(t.alerts()).toEqual([]);

  await t.state.transact((tx) => tx.delete(kinds.key.of(arn)));
  t.whileListing(async () => {
    t.noticing.nowMs += 1_000;
    const over = { ...rotation, startedAtMs: startMs, updatedAtMs: t.noticing.nowMs, finishedAtMs: t.noticing.nowMs };
    await t.state.transact((tx) => tx.set(kinds.key.of(arn), over));
  });
  await t.run();
  expect(t.alerts()).toEqual([]);
});

test('audits all keys once an hour and new channels within five minutes, one replica at a time', async () => {
  const t = await setup(2);
  const run = t.runWhenDue;
  expect(await run()).toBe('idle');
  await t.state.transact((tx) => tx.set(notes.inventoryListed, { atMs: tx.nowMs }));

  await t.state.transact((tx) => tx.set(notes.keyAudit, { claim: { by: 'other', untilMs: tx.nowMs + 1_000 } }));
  expect(await run()).toBe('idle');
  t.noticing.nowMs += 2_000;
  expect(await run()).toBe('worked');
  expect(await run()).toBe('idle');
  expect(t.asked.listed).toHaveLength(2);

  const added = arnOf('added');
  t.keys.set(added, [keyOf('added')]);
  const settings = { type: 'STANDARD', latencyMode: 'LOW', recordingConfigurationArn: '', tags: {} };
  await t.state.transact((tx) => tx.set(kinds.channel.of(added), { arn: added, name: 'added', ...settings }));
  expect(await run()).toBe('idle');
  t.noticing.nowMs += 300_000;
  expect(await run()).toBe('worked');
  expect(t.asked.listed.at(-1)).toBe(added);
  expect(await run()).toBe('idle');
  t.noticing.nowMs += 3_600_000;
  expect(await run('two')).toBe('worked');
  expect(t.asked.batches.at(-1)).toBe(3);
});

test('lists many channels without a key a thousand at a time, each once, and then pauses', async () => {
  const t = await setup(1_100);
  for (const arn of t.arns) t.keys.set(arn, []);
  await t.state.transact((tx) => tx.set(notes.inventoryListed, { atMs: tx.nowMs }));
  const run = t.runWhenDue;
  expect([await run(), t.asked.listed.length]).toEqual(['worked', 1_000]);
  expect([await run(), t.asked.listed.length]).toEqual(['worked', 1_100]);
  expect(new Set(t.asked.listed).size).toBe(1_100);
  expect(t.alerts()).toHaveLength(1_100);
  expect(await run()).toBe('idle');
  t.noticing.nowMs += 300_000;
  expect(await run()).toBe('worked');
  expect(t.asked.listed.at(-1)).toBe(t.asked.listed[999]);
});

test('an unusable answer does not prevent the audit of other channels, and is reported', async () => {
  const t = await setup(60);
  const invalid = { code: 'IVS_ANSWER_INVALID' };
  t.odd.add(t.arns[0]!);
  await expect(t.run()).rejects.toMatchObject(invalid);
  expect(t.known(t.arns[59]!)).toMatchObject({ keyArn: keyOf('k59') });

  t.odd.clear();
  await t.run();
  t.odd.add(keyOf('k1'));
  t.keys.set(t.arns[59]!, []);
  await expect(t.run()).rejects.toMatchObject(invalid);
  expect(t.alerts()).toEqual([`keyless|${t.arns[59]}`]);
});

test('while metadata is sent, the listing of keys waits, and then continues', async () => {
  const t = await setup(3);
  const listedAtSleep: number[] = [];
  const sleep = async () => void listedAtSleep.push(t.asked.listed.length);
  // Metadata is sent when the first key is known, for three seconds.
  const isSending = () => t.asked.listed.length === 1 && listedAtSleep.length < 3;

  await t.run({ yieldsTo: { isSending, clock: { ...systemClock, sleep } } });

  expect(listedAtSleep).toEqual([1, 1, 1]);
  expect(t.asked.listed).toEqual(t.arns);
});

test('a daemon that always sends metadata lists the keys all the same, after two minutes', async () => {
  const t = await setup(3);
  const slept: number[] = [];
  const sleep = async (ms: number) => void slept.push(ms);

  await t.run({ yieldsTo: { isSending: () => true, clock: { ...systemClock, sleep } } });

  expect(slept.reduce((sum, ms) => sum + ms, 0)).toBe(120_000);
  expect(t.asked.listed).toEqual(t.arns);
});
