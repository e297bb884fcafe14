// What a commit costs: while thousands of channels are remembered it reads what is in trouble now, not everything that ever was, and it
// describes each stream once.
import { expect, test } from 'vitest';
import type { Transaction } from '#domain/shared-state.ts';
import type { Index, Kind } from '#domain/state-key.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';
import { arnOf, Engine, epochMs } from '#test/support/engine.ts';
import { foldStream } from '#test/support/stream-fold.ts';
import { decideAll } from './decide.ts';
import { newMemory, readMemory, writeMemory } from './memory.ts';
import { aggregateDocument } from './population.ts';
import type { RuleOf } from './rule-index.ts';

const remembered = 10_000;
const mass = `
  - name: mass
    mode: enforce
    trigger: {aggregate: {health: [STARVING], count: [{numeric: [">=", 5000]}]}}
    actions: [{put_metadata: {payload: {type: mass}, targets: {live: true}}}]`;
const rules = `
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: [{put_metadata: {payload: slate}}]
    guards: {max_live_percent: 50, cooldown: 0s}${mass}
inhibit_rules:
  - source_matchers: ['rule="mass"']
    target_matchers: ['rule="slate"']
`;

/** The transaction, and how many rule memories walks and indexes read from it. */
function counted(tx: Transaction): { tx: Transaction; looked: () => number } {
  let looked = 0;
  function* counting<T, Id>(name: string, entries: Iterable<readonly [Id, T]>): Iterable<readonly [Id, T]> {
    for (const entry of entries) {
      if (name === kinds.ruleMemory.name) looked += 1;
      yield entry;
    }
  }
  const watched: Transaction = {
    nowMs: tx.nowMs,
    get: (key) => tx.get(key),
    entries: <T, Id extends string>(kind: Kind<T, Id>) => counting(kind.name, tx.entries(kind)),
    indexed: <T, Id extends string>(index: Index<T, Id>, word: string) =>
      counting(index.of.name, tx.indexed(index, word)),
    count: (kind) => tx.count(kind),
    set: (key, value) => tx.set(key, value),
    delete: (key) => tx.delete(key),
    append: (log, entry, most) => tx.append(log, entry, most),
    enqueue: (job) => tx.enqueue(job),
    isRepeat: (id) => tx.isRepeat(id),
  };
  return { tx: watched, looked: () => looked };
}

test('a cap and an inhibition read only what waits or fires now, however many channels rules remember', async () => {
  const engine = new Engine(rules);
  const [slate] = engine.ruleset.rules;
  for (let index = 0; index < 20; index += 1) await engine.goLive(`c${index}`);
  await engine.state.transact((tx) => {
    for (let index = 0; index < remembered; index += 1)
      writeMemory(tx, { ...newMemory(slate!, arnOf(`past${index}`), epochMs), acted: [`cause ${index}`] });
  });
  // The engine has read them once.
  await engine.health('c0', 'STARVING');

  let looked = 0;
  const decided = await engine.state.transact((tx) => {
    const counting = counted(tx);
    const starving = Array.from({ length: 8 }, (_, index) =>
      foldStream(tx, arnOf(`c${index + 1}`), { health: 'STARVING' }),
    );
    const decisions = decideAll(counting.tx, starving, engine.ruleset, engine.options);
    looked = counting.looked();
    return decisions;
  });

  expect(decided.filter(({ outcome }) => outcome === 'acted')).toHaveLength(8);
  expect(readMemory(engine.state.view, 'slate', arnOf('past7'))?.acted).toEqual(['cause 7']);
  // Each of those that are due, for the cap, and hardly more.
  expect(looked).toBeGreaterThanOrEqual(8);
  expect(looked).toBeLessThanOrEqual(20);
});

test('the document of a stream is built once for each of its records, whoever reads it', async () => {
  const engine = new Engine(rules);
  await engine.goLive('a');

  const built = new Map<StreamRecord, number>();
  const watched = (record: StreamRecord) =>
    new Proxy(record, {
      get(target, field) {
        // Among all that a decision reads, only the document has this.
        if (field === 'failureReason') built.set(record, (built.get(record) ?? 0) + 1);
        return Reflect.get(target, field) as unknown;
      },
    });
  const decided = await engine.state.transact((tx) => {
    const change = foldStream(tx, arnOf('a'), { health: 'STARVING' }) as StreamChange & { kind: 'stream' };
    const [before, after] = [watched(change.before!), watched(change.after)];
    tx.set(kinds.stream.of(arnOf('a')), after);
    return decideAll(tx, [{ ...change, before, after }], engine.ruleset, engine.options);
  });

  // The aggregate counts the channel, and the other rule judges it.
  expect(decided.map(({ rule }) => rule)).toContain('slate');
  expect([...built.values()]).toEqual([1, 1]);
});

test('an aggregate without match counts a channel without building its document', async () => {
  const engine = new Engine(`rules:${mass}`);
  await engine.channel('a');
  await engine.goLive('a');

  let built = 0;
  const decided = await engine.state.transact((tx) => {
    const change = foldStream(tx, arnOf('a'), { health: 'STARVING' });
    const entry = tx.get(kinds.channel.of(arnOf('a')))!;
    // The document has everything that the entry has.
    const read = { get: () => (built += 1), enumerable: true };
    tx.set(kinds.channel.of(arnOf('a')), Object.defineProperty({ ...entry }, 'latencyMode', read));
    return decideAll(tx, [change], engine.ruleset, engine.options);
  });

  expect(decided).toEqual([]);
  expect(aggregateDocument(engine.state.view, engine.ruleset.rules[0] as RuleOf<'aggregate'>)).toMatchObject({
    count: 1,
    live: 1,
  });
  expect(built).toBe(0);
});
