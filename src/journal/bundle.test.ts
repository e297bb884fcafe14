import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Decision, DecisionBundle } from '#domain/decision.ts';
import { logs } from '#domain/state-registry.ts';
import { MemoryState } from '#store/memory-state.ts';
import { arnOf, Engine, slateRules } from '#test/support/engine.ts';
import { bundleOf, decisionsOf } from './bundle.ts';
import { decisionsAbout, newestDecisions, queryDecisions } from './query.ts';
import { recordDecisions } from './record.ts';

const names = fc.constantFrom('a', 'b');
/** Events may have fields of any name. */
const values = fc.dictionary(
  fc.constantFrom('a', 'b', 'constructor', '__proto__'),
  fc.oneof(fc.nat(2), fc.boolean(), names),
  { maxKeys: 2 },
);
const verdict = fc.record({
  guard: fc.constantFrom('pause', 'hold', 'cooldown'),
  passed: fc.boolean(),
  values,
});
/** Decisions that are often alike: each field is sometimes equal, sometimes different or missing. */
const anyDecision = fc.record(
  {
    id: fc.uuid(),
    rule: fc.constant('slate'),
    atMs: fc.constant(1),
    outcome: fc.constant('acted'),
    channelArn: names,
    channelName: names,
    streamId: names,
    group: names,
    afterMs: fc.nat(1),
    configHash: names,
    trigger: fc.record({ kind: fc.constant('state'), sinceMs: fc.nat(1), text: names, values }),
    guards: fc.array(verdict, { maxLength: 3 }),
    jobs: fc.array(fc.record({ jobId: names, action: fc.constant('notify') }), { maxLength: 2 }),
    withheld: fc.constantFrom([], [{ action: 'notify', reason: 'held', values: {} }]),
  },
  { requiredKeys: ['id', 'rule', 'atMs', 'outcome', 'group', 'trigger', 'guards', 'jobs', 'withheld'] },
) as unknown as fc.Arbitrary<Decision>;

/** As JSON, with each object's names sorted: `__proto__` is a name like any other. */
const sorted = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    part && typeof part === 'object' && !Array.isArray(part)
      ? Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1))
      : part,
  );

test('decisions come out of a shared entry unchanged, even through Redis', () => {
  fc.assert(
    fc.property(fc.array(anyDecision, { minLength: 1, maxLength: 8 }), (decisions) => {
      const stored = JSON.stringify(bundleOf(decisions as [Decision, ...Decision[]]));
      const given = JSON.parse(JSON.stringify(decisions));
      expect(sorted(decisionsOf(JSON.parse(stored) as DecisionBundle))).toBe(sorted(given));
    }),
  );
});

test('channels that a rule acts on in one commit share entries, and each decision is still found by every name', async () => {
  const engine = new Engine(slateRules('guards: {max_live_percent: 100, cooldown: 10m, max_per_hour: 500}'));
  const channels = Array.from({ length: 120 }, (_, index) => `c${index}`);
  for (const name of channels) await engine.goLive(name);
  engine.decisions.length = 0;
  await engine.streams(channels.map((name) => [name, { health: 'STARVING' as const }]));

  const acted = engine.decisions.filter(({ outcome }) => outcome === 'acted');
  expect(acted).toHaveLength(120);
  const entries = await engine.state.readLog(logs.bundles, { limit: 1_000 });
  expect(entries).toHaveLength(3);
  expect(await engine.state.readLog(logs.journal, { limit: 1_000 })).toEqual([]);
  // Equal parts are stored once; most of what remains is which channel each decision is about.
  expect(JSON.stringify(entries).length).toBeLessThan(JSON.stringify(acted).length / 2);

  const rowOf = (decision: Decision) => ({ ...decision, count: 1 });
  const { decisions } = await queryDecisions(engine.state, { limit: 1_000 });
  expect(decisions).toEqual(acted.map(rowOf).reverse());
  for (const one of [acted[0]!, acted[61]!, acted[119]!]) {
    const found = [
      { id: one.id },
      { channelArn: one.channelArn },
      { streamId: one.streamId },
      { text: `${one.channelArn} slate` },
      { text: one.jobs[0]!.jobId },
    ];
    for (const filter of found)
      expect((await queryDecisions(engine.state, { ...filter, limit: 10 })).decisions).toContainEqual(rowOf(one));
  }
  const asked = new Set([arnOf('c7'), arnOf('c70')]);
  const { rows } = await decisionsAbout(engine.state, asked, { sinceMs: 0 });
  expect([...rows.keys()].toSorted()).toEqual([...asked].toSorted());
  const newest = await newestDecisions(engine.state, { limit: 60 });
  expect(newest.map(({ entry }) => entry)).toEqual(acted.toReversed().slice(0, 60));
  expect(new Set(newest.map(({ id }) => id)).size).toBe(60);
});

test('keeps at least as many decisions in shared entries as in single ones, and limits the entries of both', async () => {
  const state = new MemoryState({ now: () => 1 });
  const engine = new Engine(slateRules('guards: {max_live_percent: 100}'));
  await engine.goLive('c0');
  await engine.health('c0', 'STARVING');
  const [one] = engine.decisions.filter(({ outcome }) => outcome === 'acted');
  const most: number[] = [];
  for (const count of [10, 11, 50, 51, 500])
    await state.transact((tx) => {
      const kept = {
        ...tx,
        append: (_log: string, entry: object, maxEntries: number) => most.push(maxEntries * sizeOf(entry)),
      };
      recordDecisions(
        kept as unknown as typeof tx,
        Array.from({ length: count }, () => one!),
      );
    });

  expect(Math.min(...most)).toBeGreaterThanOrEqual(50_000);
  expect(Math.max(...most)).toBeLessThanOrEqual(250_000);
});

const sizeOf = (entry: object): number => ('others' in entry ? 1 + (entry.others as unknown[]).length : 1);
