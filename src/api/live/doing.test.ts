// What a channel's row and a rule's line say about current actions: nothing that is held back counts as done, or as a count-down.
import { expect, test } from 'vitest';
import { kinds } from '#domain/state-registry.ts';
import { hold, silence } from '#rules/controls.ts';
import { explain } from '#rules/explain.ts';
import { arnOf, Engine, epochMs } from '#test/support/engine.ts';
import { gatherExtras, gatherStatus } from './gather.ts';
import type { LiveSources } from './sources.ts';

const rules = `
receivers: [{name: noc, webhook_configs: [{url: "https://noc.example/hook", send_resolved: true}]}]
inhibit_rules:
  - {source_matchers: ['rule="mass"'], target_matchers: ['action="stop_stream"']}
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    for: 10s
    keep_firing_for: 5s
    actions:
      - notify: {receiver: noc, text: "{{ channel.name }} starving for {{ firing.duration }}"}
      - put_metadata: {payload: slate}
      - {after: 20s, stop_stream: {}}
    guards: {max_live_percent: 100}
  - name: mass
    mode: enforce
    trigger: {aggregate: {health: [STARVING], percent_of_live: [{numeric: [">=", 30]}], min_live: 10}}
    actions: [{notify: {receiver: noc, text: "many"}}]
  - name: capped
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    for: 12s
    actions: [{tag: {set: {seen: starving}}}]
    guards: {max_live_percent: 5}
`;

/** Thirteen of 31 channels starve; one has a hold, and metadata of two is silenced. */
async function incident() {
  const engine = new Engine(rules);
  const names = Array.from({ length: 31 }, (_, index) => `c${index}`);
  for (const [index, name] of names.entries()) {
    await engine.channel(name, { show: index === 1 || index === 2 ? 'quiz' : 'news' });
    await engine.goLive(name);
  }
  const by = { who: 'mara', reason: 'finals' };
  await engine.state.transact((tx) => {
    hold(tx, { ...by, channelArn: arnOf('c0') });
    silence(tx, { ...by, matchers: ['action="put_metadata"', 'tag_show="quiz"'], endsMs: epochMs + 600_000 });
  });
  const starving = names.slice(0, 13);
  await engine.streams(starving.map((name) => [name, { health: 'STARVING' as const }]));
  const sources = {
    state: engine.state,
    ruleset: () => engine.ruleset,
    config: () => ({ hash: 'x', loadedAtMs: epochMs }),
    silentAfterMs: () => ({ poll: 60_000, events: undefined }),
  } as unknown as LiveSources;
  const rule = async (name: string) => (await gatherStatus(sources)).rules.find((each) => each.name === name);
  const explained = (name: string, channel: string) =>
    explain(engine.state.view, engine.ruleset, {
      rule: engine.ruleset.rules.find((each) => each.name === name)!,
      channelArn: arnOf(channel),
      nowMs: engine.nowMs,
    });
  return { engine, sources, starving, rule, explained };
}

test('a rule counts as firing where it has acted, and as held back where a hold or its cap stopped it', async () => {
  const { engine, rule, sources, explained } = await incident();
  await engine.goTo(15);

  expect(await rule('slate')).toMatchObject({ firing: 12, heldBack: 1 });
  expect(await rule('capped')).toMatchObject({ firing: 0, heldBack: 13, capped: true });
  expect(await rule('mass')).toMatchObject({ firing: 1, heldBack: 0 });
  const { next } = gatherExtras(sources);
  // No plan for the channel is left out.
  expect(next.get(arnOf('c5'))).toMatchObject({ text: 'stop_stream', withheld: { why: 'inhibited by mass' } });
  expect(next.get(arnOf('c5'))?.more).toMatchObject([
    { text: 'tag', withheld: { why: 'the rule is stopped by its cap' } },
  ]);
  expect(explained('slate', 'c5').due).toMatchObject([{ action: 'stop_stream', heldBack: 'inhibited' }]);
  expect(explained('capped', 'c5').due).toMatchObject([{ action: 'fire', heldBack: 'rule_stopped' }]);
});

test('an incident counts each action it holds back once, and the incident of a cap those that the cap holds back', async () => {
  const { engine } = await incident();
  await engine.goTo(60);
  const incidents = Array.from(engine.state.view.entries(kinds.incident), ([, each]) => each);

  expect(incidents.find(({ rule }) => rule === 'mass')).toMatchObject({ kind: 'aggregate', withheld: 12 });
  expect(incidents.find(({ rule }) => rule === 'capped')).toMatchObject({ kind: 'cap', withheld: 13 });
});

test('the duration of a condition ends with the condition, not with keep_firing_for', async () => {
  const { engine } = await incident();
  await engine.goTo(30);
  await engine.health('c5', 'HEALTHY');
  await engine.goTo(40);

  const told = engine.jobs.filter(({ name, payload }) => name === 'notify' && payload.channelArn === arnOf('c5'));
  expect(told.map(({ payload }) => (payload.params as { text: string }).text)).toEqual([
    'c5 starving for 10s',
    'Resolved: c5 starving for 30s',
  ]);
});

test('an open incident says how large it is now, and a closed one how large it was', async () => {
  const { engine, starving } = await incident();
  const more = ['c20', 'c21'];
  const told = () => {
    const [, found] = Array.from(engine.state.view.entries(kinds.incident)).find(([, { rule }]) => rule === 'mass')!;
    return [found.text, found.closedAtMs !== undefined];
  };
  expect(told()).toEqual(['mass: 13 of 31 channels', false]);
  await engine.streams(more.map((name) => [name, { health: 'STARVING' as const }]));
  expect(told()).toEqual(['mass: 15 of 31 channels', false]);
  await engine.streams([...starving, ...more].slice(2).map((name) => [name, { health: 'HEALTHY' as const }]));
  expect(told()).toEqual(['mass: 15 channels at most', true]);
});
