// A warm-up, a data gap or a pause only delays: every cause that it holds back gets its own verdict.
import { describe, expect, test } from 'vitest';
import { kinds } from '#domain/state-registry.ts';
import { arnOf, Engine, epochMs } from '#test/support/engine.ts';
import { pause, resume } from './controls.ts';
import { mostWithheldMoments } from './memory.ts';

const breach = `
rules:
  - name: breach
    mode: enforce
    trigger: {event: {detail-type: [IVS Limit Breach]}}
    actions: [{webhook: {url: "https://capacity.example", body: "{{ event.detail.n }}"}}]
    guards: {group_by: [detail.limit_name], cooldown: 0s}
`;

const breached = (engine: Engine, n: number, limit = 'Concurrent Viewers') =>
  engine.event(undefined, 'IVS Limit Breach', { limit_name: limit, n });

/** The replica that decides from here on has just started, and has seen no poll. */
const startsAnew = (engine: Engine) => {
  engine.options = { startedAtMs: engine.nowMs };
};

/** The last verdict on each cause. */
function verdicts(engine: Engine): Record<string, string> {
  return Object.fromEntries(engine.decisions.map(({ cause, outcome, reason }) => [cause, `${outcome} ${reason}`]));
}

const bodies = (engine: Engine) => engine.jobs.map(({ payload }) => (payload.params as { body: string }).body);

describe('events on one subject', () => {
  test('that come during a warm-up are each acted on when it is over, in their order', async () => {
    const engine = new Engine(breach);
    await engine.goTo(1);
    startsAnew(engine);
    for (let n = 0; n < 40; n += 1) {
      await breached(engine, n);
      engine.nowMs += 150;
    }
    expect(engine.jobs).toEqual([]);

    await engine.poll();
    await engine.goTo(engine.seconds + 1);

    expect(bodies(engine)).toEqual(Array.from({ length: 40 }, (_, n) => String(n)));
    expect(new Set(Object.values(verdicts(engine)))).toEqual(new Set(['acted fired']));
    expect(engine.state.view.count(kinds.moment)).toBe(0);
  });

  test('are not lost while replicas restart in turns, and warm ones decide between the cold ones', async () => {
    const engine = new Engine(breach);
    const [warm, cold] = [{ startedAtMs: epochMs }, { startedAtMs: epochMs }];
    await engine.poll();
    for (let n = 0; n < 400; n += 1) {
      engine.nowMs += 150;
      // Every 3 s the other one restarts; every second somebody polls.
      if (n % 20 === 0) [warm, cold][(n / 20) % 2]!.startedAtMs = engine.nowMs;
      engine.options = n % 3 === 0 ? cold : warm;
      await breached(engine, n);
      if (n % 7 === 0) await engine.poll();
      engine.options = n % 2 === 0 ? cold : warm;
      await engine.due();
    }
    await engine.poll();
    await engine.goTo(engine.seconds + 30);

    expect(bodies(engine).sort((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 400 }, (_, n) => String(n)),
    );
    expect(engine.decisions.some(({ reason }) => reason === 'warming_up')).toBe(true);
  });

  test('of several groups each keep the cooldown of their group', async () => {
    const engine = new Engine(breach.replace('cooldown: 0s', 'cooldown: 2m'));
    startsAnew(engine);
    for (const [n, limit] of [[1], [2], [3, 'Concurrent Streams']] as const) {
      await breached(engine, n, limit);
      engine.nowMs += 150;
    }
    await engine.goTo(5);
    await engine.poll();
    await engine.goTo(6);

    expect(bodies(engine)).toEqual(['1', '3']);
    expect(verdicts(engine)).toEqual({
      'event-1': 'acted fired',
      'event-2': 'suppressed cooldown',
      'event-3': 'acted fired',
    });
  });

  test('are bounded: beyond the bound each is recorded and not acted on later, and those before it are', async () => {
    const engine = new Engine(breach);
    startsAnew(engine);
    for (let n = 0; n < mostWithheldMoments + 3; n += 1) await breached(engine, n);
    await engine.goTo(1);
    await engine.poll();
    while (engine.state.view.count(kinds.moment) > 0) await engine.due();

    expect(engine.jobs.length).toBe(mostWithheldMoments);
    const left = Object.entries(verdicts(engine)).filter(([, verdict]) => verdict !== 'acted fired');
    expect(left.map(([, verdict]) => verdict)).toEqual(Array(3).fill('suppressed too_many_waiting'));
  });

  test('that wait when their rule changes are recorded', async () => {
    const engine = new Engine(breach);
    startsAnew(engine);
    await breached(engine, 1);
    await breached(engine, 2);
    engine.ruleset = new Engine(breach.replace('IVS Limit Breach]', 'IVS Limit Breach, Other]')).ruleset;
    await engine.goTo(1);
    await engine.poll();
    await engine.goTo(2);

    expect(verdicts(engine)).toEqual({ 'event-1': 'not_fired rule_changed', 'event-2': 'not_fired rule_changed' });
  });

  test('that are too old when the warm-up is over are each recorded', async () => {
    const engine = new Engine(breach.replace('cooldown: 0s', 'cooldown: 0s, max_event_age: 1m'));
    startsAnew(engine);
    await breached(engine, 1);
    await engine.goTo(50);
    await breached(engine, 2);
    await engine.goTo(70);
    await engine.poll();
    await engine.goTo(71);

    expect(verdicts(engine)).toEqual({ 'event-1': 'not_fired event_too_old', 'event-2': 'acted fired' });
  });
});

describe('requests of an http trigger', () => {
  const rules = (more = '') => `
rules:
  - name: goal
    mode: enforce
    trigger: {http: {name: score}}
    actions: [{webhook: {url: "https://score.example", body: "{{ http.body.by }}"}}]
    guards: {cooldown: 0s}
    ${more}
`;
  const request = (engine: Engine, by: string) =>
    engine.decide({
      kind: 'http',
      observation: {
        kind: 'http',
        requestId: by,
        name: 'score',
        channelArn: arnOf('a'),
        body: { by },
        atMs: engine.nowMs,
      },
      atMs: engine.nowMs,
    });

  test('for one channel each wait for the end of a warm-up', async () => {
    const engine = new Engine(rules());
    startsAnew(engine);
    for (const by of ['Ada', 'Grace', 'Mary']) await request(engine, by);
    await engine.goTo(1);
    await engine.poll();
    await engine.goTo(2);

    expect(bodies(engine)).toEqual(['Ada', 'Grace', 'Mary']);
  });

  test('with `while` each wait for the end of a data gap, and are dropped if it does not hold then', async () => {
    const engine = new Engine(rules('while: {live: [true]}'));
    await engine.goLive('a');
    await engine.gap('began');
    for (const by of ['Ada', 'Grace']) await request(engine, by);
    await engine.goTo(100);
    expect(engine.jobs).toEqual([]);
    await engine.gap('ended');
    await engine.goTo(101);
    expect(bodies(engine)).toEqual(['Ada', 'Grace']);

    await engine.gap('began');
    await request(engine, 'Mary');
    await engine.gap('ended');
    await engine.endStream('a');
    await engine.goTo(120);
    expect(bodies(engine)).toEqual(['Ada', 'Grace']);
    expect(verdicts(engine)['Mary']).toBe('not_fired while_broken');
  });

  test('with `while` that come during a pause: the last is acted on after it, and the others are recorded', async () => {
    const engine = new Engine(rules('while: {live: [true]}'));
    await engine.goLive('a');
    const by = { who: 'ops', reason: 'drill' };
    await engine.commit((tx) => (pause(tx, by), []));
    for (const name of ['Ada', 'Grace', 'Mary']) await request(engine, name);
    await engine.commit((tx) => (resume(tx, by), []));
    await engine.goTo(20);

    expect(bodies(engine)).toEqual(['Mary']);
    expect(verdicts(engine)).toMatchObject({
      Ada: 'not_fired superseded',
      Grace: 'not_fired superseded',
      Mary: 'acted fired',
    });
  });
});

test('milestones crossed during a warm-up: the last one counts, and the journal says what it replaced', async () => {
  const engine = new Engine(`
rules:
  - name: milestone
    mode: enforce
    trigger: {threshold: {field: viewerCount, rises_to: [10, 100]}}
    once_per: session
    actions: [{put_metadata: {payload: {n: "{{ threshold.value }}"}}}]
    guards: {cooldown: 0s}
`);
  startsAnew(engine);
  await engine.goLive('a');
  await engine.stream('a', { viewerCount: 20 });
  await engine.goTo(1);
  await engine.stream('a', { viewerCount: 200 });
  await engine.goTo(2);
  await engine.poll();
  await engine.goTo(3);

  expect(engine.jobs.map(({ payload }) => payload.params)).toEqual([{ payload: { n: 100 } }]);
  expect(Object.values(verdicts(engine))).toEqual(['not_fired superseded', 'acted fired']);
});

test('a second event while `for` runs is recorded: the first is the one that counts', async () => {
  const engine = new Engine(`
rules:
  - name: rotate
    mode: enforce
    trigger: {event: {detail: {event_name: [Stream End, Session Ended]}}}
    while: {live: [false]}
    for: 1m
    actions: [{put_metadata: {payload: over}}]
`);
  await engine.goLive('a');
  await engine.endStream('a');
  await engine.event('a', 'IVS Stream State Change', { event_name: 'Stream End' });
  await engine.goTo(10);
  await engine.event('a', 'IVS Stream State Change', { event_name: 'Session Ended' });
  await engine.goTo(100);

  expect(engine.log).toEqual(['60 put_metadata a']);
  expect(verdicts(engine)).toEqual({ 'event-1': 'acted fired', 'event-2': 'not_fired superseded' });
});
