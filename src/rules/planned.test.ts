import { expect, test } from 'vitest';
import { arnOf, Engine, epochMs } from '#test/support/engine.ts';
import { hold, pause, resume, silence } from './controls.ts';
import { plannedActions } from './planned.ts';

const rules = `
receivers: [{name: noc, webhook_configs: [{url: "https://noc.example/hook", send_resolved: false}]}]
inhibit_rules:
  - {source_matchers: ['rule="mass"'], target_matchers: ['action="stop_stream"']}
rules:
  - name: last-resort
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions:
      - after: 60s
        stop_stream: {}
    guards: {max_live_percent: 100}
  - name: mass
    mode: enforce
    trigger: {aggregate: {health: [STARVING], percent_of_live: [{numeric: [">=", 30]}], min_live: 10}}
    actions: [{notify: {receiver: noc, text: "many"}}]
`;

async function fleet(): Promise<Engine> {
  const engine = new Engine(rules);
  for (let index = 0; index < 10; index += 1) {
    await engine.channel(`c${index}`);
    await engine.goLive(`c${index}`);
  }
  return engine;
}

const planned = (engine: Engine, name = 'c0') =>
  Array.from(plannedActions(engine.state.view, engine.ruleset, engine.nowMs)).filter(
    ({ channelArn }) => channelArn === arnOf(name),
  );

test('shows no countdown for what is inhibited, but that, why, and what becomes of it, before its time and after', async () => {
  const engine = await fleet();
  await engine.health('c0', 'STARVING');
  expect(planned(engine)).toMatchObject([{ actions: ['stop_stream'], dueMs: epochMs + 60_000 }]);
  expect(planned(engine)[0]?.withheld).toBeUndefined();

  await engine.goTo(30);
  await engine.streams(['c1', 'c2'].map((name) => [name, { health: 'STARVING' as const }]));
  expect(planned(engine)).toMatchObject([
    { actions: ['stop_stream'], withheld: { reason: 'inhibited', why: 'inhibited by mass' } },
  ]);
  expect(planned(engine)[0]?.dueMs).toBeUndefined();
  expect(planned(engine)[0]?.withheld?.afterwards).toContain('acts when due');

  await engine.goTo(120);
  expect(planned(engine)).toMatchObject([{ withheld: { reason: 'inhibited' } }]);
  expect(planned(engine)[0]?.dueMs).toBeUndefined();
  expect(planned(engine)[0]?.withheld?.afterwards).toContain('acts at once');

  await engine.streams(['c1', 'c2'].map((name) => [name, { health: 'HEALTHY' as const }]));
  await engine.goTo(150);
  expect(planned(engine)).toEqual([]);
  expect(engine.log.filter((line) => line.includes('stop_stream'))).toHaveLength(1);
});

test('a pause, a hold, a silence and a gap hold back what is planned in the same way, and its time returns when they end', async () => {
  const engine = await fleet();
  await engine.health('c0', 'STARVING');
  const by = { who: 'ann', reason: 'finals' };
  const reasonNow = () => planned(engine).map(({ withheld, dueMs }) => [withheld?.reason, dueMs !== undefined]);

  await engine.state.transact((tx) => void pause(tx, by));
  expect(reasonNow()).toEqual([['paused', false]]);
  await engine.state.transact((tx) => void resume(tx, by));
  expect(reasonNow()).toEqual([[undefined, true]]);

  await engine.state.transact(
    (tx) => void silence(tx, { ...by, matchers: ['action="stop_stream"'], endsMs: engine.nowMs + 10_000 }),
  );
  expect(reasonNow()).toEqual([['silenced', false]]);
  await engine.goTo(11);
  expect(reasonNow()).toEqual([[undefined, true]]);

  await engine.gap('began');
  expect(reasonNow()).toEqual([['data_gap', false]]);
  await engine.gap('ended');
  expect(reasonNow()).toEqual([[undefined, true]]);

  await engine.state.transact((tx) => void hold(tx, { ...by, channelArn: arnOf('c0') }));
  expect(planned(engine)[0]?.withheld).toMatchObject({ reason: 'held', why: 'on hold by ann: finals' });
});
