// The end of a rule that was removed or switched off is limited by what limited the rule, and says what the rule would have said.
import { expect, test } from 'vitest';
import { notes } from '#domain/state-registry.ts';
import { Engine, epochMs, rulesetOf } from '#test/support/engine.ts';
import { silence } from './controls.ts';

const none = rulesetOf('rules: []\n');

function slate(more = ''): ReturnType<typeof rulesetOf> {
  return rulesetOf(`
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: [{put_metadata: {payload: on}}]
    on_resolve: [{put_metadata: {payload: off}}]
    guards: {max_live_percent: 100${more}}
`);
}

/** The ruleset is replaced at second 20, while the rule fires for `a`; returns the engine at second 60. */
async function replaced(
  [from, to]: readonly [ReturnType<typeof rulesetOf>, ReturnType<typeof rulesetOf>],
  meanwhile: (engine: Engine) => Promise<unknown> = async () => undefined,
): Promise<Engine> {
  const engine = new Engine(from);
  await engine.channel('a', { tier: 'gold' });
  await engine.goLive('a', 'STARVING');
  await engine.goTo(20);
  await meanwhile(engine);
  engine.ruleset = to;
  await engine.due();
  await engine.poll();
  await engine.goTo(60);
  return engine;
}

test('a shared setting is changed only for the channels that the rule selected, and ad breaks keep their gap', async () => {
  const rules = rulesetOf(`
rules:
  - name: fence
    mode: enforce
    match: {tags: {tier: [gold]}}
    trigger: {state: {health: [STARVING]}}
    actions: [{edit_playback_restriction: {policy: geo, allowed_countries: [DE]}}]
    on_resolve:
      - edit_playback_restriction: {policy: geo, allowed_countries: []}
      - insert_ad_break: {duration: 30s}
    guards: {max_live_percent: 100, min_gap: 5m}
`);
  const { jobs } = await replaced([rules, none]);

  expect(jobs.map(({ name }) => name)).toEqual([
    'edit_playback_restriction',
    'edit_playback_restriction',
    'insert_ad_break',
  ]);
  expect(jobs.slice(0, 2).map(({ payload }) => payload.match)).toEqual([
    { tags: { tier: ['gold'] } },
    { tags: { tier: ['gold'] } },
  ]);
  expect(jobs[2]?.payload.minGapMs).toBe(300_000);
});

test('a silence of its group holds the end back', async () => {
  const engine = await replaced([slate(', group_by: [tags.tier]'), none], (before) =>
    before.commit((tx) => {
      silence(tx, { matchers: ['group="gold"'], who: 'ann', reason: 'planned', endsMs: epochMs + 3_600_000 });
      return [];
    }),
  );

  expect(engine.log).toEqual(['0 put_metadata a']);
  expect(engine.decisions.at(-1)).toMatchObject({ reason: 'rule_gone', withheld: [{ reason: 'silenced' }] });
});

const aggregate = (mode: string) =>
  rulesetOf(`
rules:
  - name: slate
    mode: ${mode}
    trigger: {aggregate: {health: [STARVING], count: [{numeric: [">", 0]}]}}
    actions: [{put_metadata: {targets: {live: true}, payload: on}}]
    on_resolve: [{put_metadata: {targets: {live: true}, payload: "{{ aggregate.count }} of {{ aggregate.live }}"}}]
    guards: {max_live_percent: 100}
`);

test.each([
  ['removed', none],
  ['off', aggregate('off')],
])('an aggregate that is %s ends with the figures with which it began', async (_name, to) => {
  const engine = await replaced([aggregate('enforce'), to]);

  expect(engine.jobs.map(({ payload }) => (payload.params as { payload: string }).payload)).toEqual(['on', '1 of 1']);
  expect(engine.decisions.at(-1)).toMatchObject({ reason: 'rule_gone', trigger: { values: { count: 1, live: 1 } } });
});

test('the end is known although a version that keeps none followed the rules meanwhile', async () => {
  const engine = await replaced([slate(), none], async (before) => {
    await before.commit((tx) => {
      tx.set(notes.onResolve, { hash: none.hash, rules: {} });
      return [];
    });
    await before.due();
  });

  expect(engine.log).toEqual(['0 put_metadata a', '30 put_metadata a']);
});
