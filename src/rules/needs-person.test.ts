import { expect, test } from 'vitest';
import type { NeedsPerson } from '#domain/notification.ts';
import { kinds } from '#domain/state-registry.ts';
import { Engine } from '#test/support/engine.ts';

const receivers = 'receivers: [{name: noc, webhook_configs: [{url: "https://noc.example/hook"}]}]';
const needsIn = (engine: Engine) =>
  engine.jobs.flatMap(({ name, payload }) =>
    name === 'notify' ? [(payload as { alert?: { needs?: NeedsPerson } }).alert?.needs] : [],
  );

test('a message about an incident names its alert, even when it is over', async () => {
  const engine = new Engine(`
${receivers}
rules:
  - name: mass
    mode: enforce
    trigger: {aggregate: {health: [STARVING], count: [{numeric: [">=", 2]}]}}
    actions: [{notify: {receiver: noc, text: many starve}}]
    on_resolve: [{notify: {receiver: noc, text: all well}}]
    guards: {cooldown: 0s}
`);
  for (const name of ['a', 'b']) await engine.goLive(name);
  for (const name of ['a', 'b']) await engine.health(name, 'STARVING');
  await engine.goTo(10);
  const [incident] = Array.from(engine.state.view.entries(kinds.incident), ([, each]) => each);
  const needs = { kind: 'alert', id: `incident:${incident!.id}`, sinceMs: incident!.openedAtMs };
  expect(needsIn(engine)).toEqual([needs]);
  for (const name of ['a', 'b']) await engine.health(name, 'HEALTHY');
  await engine.goTo(30);
  expect(needsIn(engine)).toEqual([needs, needs]);
});

test('a message about one approval names it, and one about a channel names nothing', async () => {
  const engine = new Engine(`
${receivers}
rules:
  - name: stop
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: [{stop_stream: {}, approval: {}}, {notify: {receiver: noc, text: starving}}]
    guards: {cooldown: 0s, max_per_hour: 50}
`);
  for (const name of ['a', 'b', 'c']) await engine.goLive(name);
  await engine.health('a', 'STARVING');
  const [approval] = Array.from(engine.state.view.entries(kinds.approval), ([id]) => id);
  expect(needsIn(engine)).toEqual(expect.arrayContaining([undefined, { kind: 'approval', id: approval }]));
});
