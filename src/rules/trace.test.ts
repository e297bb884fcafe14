// The places of decisions and their jobs in traces: they follow from what triggered the rule, whoever computes them and however much later.
import { describe, expect, test } from 'vitest';
import { fanoutJobName } from '#domain/metadata-fanout.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import { mostFollowed, placeBelow, traceparentOf } from '#domain/trace.ts';
import { decideAll } from '#rules/decide.ts';
import { arnOf, Engine, slateRules } from '#test/support/engine.ts';
import { foldStream } from '#test/support/stream-fold.ts';

const place = (number: number) =>
  traceparentOf({ traceId: 'a'.repeat(32), spanId: String(number).padStart(16, '0'), isSampled: true });
const [beginning, ending, tick] = [place(1), place(2), place(3)];

/** A change of a stream that was noticed at a place in a trace. */
const noticed = (engine: Engine, name: string, change: Partial<StreamRecord>, trace: string | undefined) =>
  engine.commit((tx) => decideAll(tx, [{ ...foldStream(tx, arnOf(name), change), trace }], engine.ruleset));

const rules = slateRules('for: 30s\n    on_resolve: [{put_metadata: {payload: gone}}]');

describe('a decision', () => {
  test('after `for` is below what began the condition, the decision about its end below what ended it; so are their jobs', async () => {
    const engine = new Engine(rules);
    await engine.channel('a');
    await engine.goLive('a');
    await noticed(engine, 'a', { health: 'STARVING' }, beginning);
    engine.options = { trace: tick };
    await engine.goTo(31);
    await noticed(engine, 'a', { health: 'HEALTHY' }, ending);

    const acting = engine.decisions.filter(({ jobs }) => jobs.length > 0);
    expect(acting.map(({ outcome, trace }) => [outcome, trace])).toEqual([
      ['acted', beginning],
      ['resolved', ending],
    ]);
    expect(engine.jobs.map(({ payload }) => payload.follows)).toEqual([
      [placeBelow(beginning, acting[0]!.id)],
      [placeBelow(ending, acting[1]!.id)],
    ]);
    expect(engine.decisions.filter(({ jobs }) => jobs.length === 0).every(({ trace }) => trace === undefined)).toBe(
      true,
    );
  });

  test('about something noticed outside a trace is below the commit', async () => {
    const engine = new Engine(rules);
    await engine.channel('a');
    await engine.goLive('a');
    await noticed(engine, 'a', { health: 'STARVING' }, undefined);
    engine.options = { trace: tick };
    await engine.goTo(31);

    expect(engine.decisions.find(({ outcome }) => outcome === 'acted')?.trace).toBe(tick);
  });

  test('has no place when tracing is off, and neither has its job or the rule memory', async () => {
    const engine = new Engine(rules);
    await engine.channel('a');
    await engine.goLive('a');
    await engine.health('a', 'STARVING');
    await engine.goTo(31);
    await engine.health('a', 'HEALTHY');

    expect(engine.jobs).toHaveLength(2);
    const memory = [...engine.state.view.entries(kinds.ruleMemory)];
    expect(JSON.stringify([engine.decisions, engine.jobs, memory])).not.toMatch(/"(?:trace|follows)"/);
  });
});

test('a fan-out follows from the decisions of its members, as many as it has room for', async () => {
  const engine = new Engine(slateRules(''));
  const names = Array.from({ length: mostFollowed + 5 }, (_, index) => `channel-${index}`);
  for (const name of names) {
    await engine.channel(name);
    await engine.goLive(name);
  }
  const decisions = await engine.state.transact((tx) =>
    decideAll(
      tx,
      names.map((name, index) => ({ ...foldStream(tx, arnOf(name), { health: 'STARVING' }), trace: place(index + 1) })),
      engine.ruleset,
    ),
  );
  const [request] = Array.from(engine.state.view.entries(kinds.job), ([, job]) => job);

  expect(request?.name).toBe(fanoutJobName);
  expect(request?.payload['follows']).toEqual(
    decisions.slice(0, mostFollowed).map(({ id, trace }) => placeBelow(trace!, id)),
  );
});
