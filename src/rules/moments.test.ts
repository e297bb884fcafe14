import { describe, expect, test } from 'vitest';
import { kinds } from '#domain/state-registry.ts';
import { arnOf, Engine, epochMs } from '#test/support/engine.ts';

const streamEnd = { event_name: 'Stream End' };

const rotate = (more = '') => `
rules:
  - name: rotate
    mode: enforce
    trigger: {event: {source: [aws.ivs], detail: {event_name: [Stream End]}}}
    match: {tags: {key-rotation: [on-stream-end]}}
    while: {live: [false]}
    for: 2m
    actions: [{rotate_stream_key: {deliver: {secrets_manager: "ivs/{{ channel.id }}"}}}]
    guards: {max_per_hour: 200, max_event_age: 15m${more}}
`;

async function endedShow(rules: string): Promise<Engine> {
  const engine = new Engine(rules);
  await engine.channel('a', { 'key-rotation': 'on-stream-end' });
  await engine.goLive('a');
  await engine.goTo(10);
  await engine.endStream('a');
  return engine;
}

describe('an event with `for` and `while`', () => {
  test('fires if `while` held all along, for the stream of the event', async () => {
    const engine = await endedShow(rotate());
    await engine.event('a', 'IVS Stream State Change', streamEnd);
    await engine.goTo(200);

    expect(engine.log).toEqual(['130 rotate_stream_key a']);
    expect(engine.jobs[0]!.payload).toMatchObject({
      streamId: expect.stringMatching(/^st-/),
      params: { deliver: { secrets_manager: 'ivs/a' } },
    });
  });

  test('is cancelled by an encoder that reconnects', async () => {
    const engine = await endedShow(rotate());
    await engine.event('a', 'IVS Stream State Change', streamEnd);
    await engine.goTo(100);
    await engine.goLive('a');
    await engine.goTo(300);

    expect(engine.log).toEqual([]);
    expect(engine.story.at(-1)).toBe('100 not_fired while_broken a');
  });

  test('counts from when the event happened, not from when it arrived', async () => {
    const engine = await endedShow(rotate());
    await engine.goTo(110);
    await engine.event('a', 'IVS Stream State Change', streamEnd, { ageMs: 100_000 });
    await engine.goTo(200);

    expect(engine.log).toEqual(['130 rotate_stream_key a']);
  });

  test('ignores a repeat of the same event', async () => {
    const engine = await endedShow(rotate());
    for (let times = 0; times < 3; times += 1) {
      await engine.event('a', 'IVS Stream State Change', streamEnd, { id: 'same' });
      await engine.goTo(10 + times * 100);
    }
    await engine.goTo(1000);

    expect(engine.log).toHaveLength(1);
  });

  test('records and drops an event older than max_event_age', async () => {
    const engine = await endedShow(rotate());
    await engine.event('a', 'IVS Stream State Change', streamEnd, { ageMs: 16 * 60_000 });
    await engine.goTo(200);

    expect(engine.log).toEqual([]);
    expect(engine.story).toEqual(['10 not_fired event_too_old a']);
  });

  test('names a channel that `match` does not select in the journal', async () => {
    const engine = await endedShow(rotate());
    await engine.goLive('b');
    await engine.endStream('b');
    await engine.event('b', 'IVS Stream State Change', streamEnd);

    expect(engine.story).toEqual(['10 not_fired match_failed b']);
    expect(engine.decisions.at(-1)?.trigger.values).toMatchObject({ 'tag_key-rotation': '(not there)' });
  });
});

describe('a breach of a limit', () => {
  const rules = `
rules:
  - name: breach
    mode: enforce
    trigger: {event: {detail-type: [IVS Limit Breach], detail: {limit_name: [{prefix: "Ingest "}, Concurrent Viewers]}}}
    actions: [{webhook: {url: "https://capacity.example", body: "{{ event.detail.limit_name }}"}}]
    guards: {group_by: [detail.limit_name], cooldown: 2m}
`;

  test('of the account names no channel, and each limit has its own cooldown', async () => {
    const engine = new Engine(rules);
    await engine.event(undefined, 'IVS Limit Breach', { limit_name: 'Concurrent Viewers' });
    await engine.event('a', 'IVS Limit Breach', { limit_name: 'Ingest Bitrate' });
    await engine.event('b', 'IVS Limit Breach', { limit_name: 'Ingest Bitrate' });

    expect(engine.log).toEqual(['0 webhook -', '0 webhook a']);
    expect(engine.story.at(-1)).toBe('0 suppressed cooldown b');
  });

  test('is recognised when the event calls the field `limit`, as in the published schema', async () => {
    const engine = new Engine(rules);
    await engine.event(undefined, 'IVS Limit Breach', { limit: 'Concurrent Viewers' });

    expect(engine.jobs.map(({ payload }) => payload.params)).toEqual([
      expect.objectContaining({ body: 'Concurrent Viewers' }),
    ]);
  });
});

describe('a moment that a guard holds back is over', () => {
  test('an event during a cooldown is not acted on later', async () => {
    const engine = new Engine(`
rules:
  - name: hello
    mode: enforce
    trigger: {event: {detail: {event_name: [Stream Start]}}}
    actions: [{put_metadata: {payload: hello}}]
    guards: {cooldown: 1m}
`);
    await engine.event('a', 'IVS Stream State Change', { event_name: 'Stream Start' });
    await engine.goTo(10);
    await engine.event('a', 'IVS Stream State Change', { event_name: 'Stream Start' });
    await engine.goTo(600);

    expect(engine.log).toEqual(['0 put_metadata a']);
    expect(engine.state.view.count(kinds.timer)).toBe(0);
  });
});

describe('steps of an event', () => {
  test('run after their time, separately for each firing', async () => {
    const engine = new Engine(`
rules:
  - name: hello
    mode: enforce
    trigger: {event: {detail: {event_name: [Stream Start]}}}
    actions: [{after: 1m, put_metadata: {payload: hello}}]
    guards: {cooldown: 0s}
`);
    await engine.event('a', 'IVS Stream State Change', { event_name: 'Stream Start' });
    await engine.goTo(30);
    await engine.event('a', 'IVS Stream State Change', { event_name: 'Stream Start' });
    await engine.goTo(600);

    expect(engine.log).toEqual(['60 put_metadata a', '90 put_metadata a']);
  });
});

describe('thresholds', () => {
  const rules = (once: string, cooldown = '0s') => `
rules:
  - name: milestone
    mode: enforce
    trigger: {threshold: {field: viewerCount, rises_to: [1000, 10000, 100000]}}
    ${once}
    actions: [{put_metadata: {payload: {n: "{{ threshold.value }}"}}}]
    guards: {cooldown: ${cooldown}}
`;
  const shown = (engine: Engine) => engine.jobs.map(({ payload }) => (payload.params as { payload: unknown }).payload);

  test('the highest newly crossed one counts, each once per session', async () => {
    const engine = new Engine(rules('once_per: session'));
    await engine.goLive('a');
    for (const viewerCount of [500, 12_000, 800, 15_000, 900, 1_100, 120_000])
      await engine.stream('a', { viewerCount });

    expect(shown(engine)).toEqual([{ n: 10_000 }, { n: 100_000 }]);
  });

  test('start again in a new session', async () => {
    const engine = new Engine(rules('once_per: session'));
    await engine.goLive('a');
    await engine.stream('a', { viewerCount: 2000 });
    await engine.endStream('a');
    await engine.goLive('a');
    await engine.stream('a', { viewerCount: 3000 });

    expect(shown(engine)).toEqual([{ n: 1000 }, { n: 1000 }]);
  });

  test('without once_per every rise counts', async () => {
    const engine = new Engine(rules(''));
    await engine.goLive('a');
    for (const [second, viewerCount] of [2000, 500, 2000].entries()) {
      await engine.goTo(second);
      await engine.stream('a', { viewerCount });
    }

    expect(shown(engine)).toEqual([{ n: 1000 }, { n: 1000 }]);
  });

  test('old milestones of a long-running stream do not fire when it is first seen', async () => {
    const engine = new Engine(rules('once_per: session'));
    await engine.stream('a', { viewerCount: 50_000, startedAtMs: epochMs - 3_600_000 });
    expect(shown(engine)).toEqual([]);
    await engine.stream('a', { viewerCount: 100_000 });

    expect(shown(engine)).toEqual([{ n: 100_000 }]);
  });

  test('one that a cooldown held back follows while the count is still beyond it', async () => {
    const engine = new Engine(rules('once_per: session', '1m'));
    await engine.goLive('a');
    await engine.stream('a', { viewerCount: 1000 });
    await engine.goTo(10);
    await engine.stream('a', { viewerCount: 10_000 });
    await engine.goTo(120);

    expect(shown(engine)).toEqual([{ n: 1000 }, { n: 10_000 }]);
  });
});

describe('http triggers', () => {
  test('match their name and body, once for each request', async () => {
    const engine = new Engine(`
rules:
  - name: goal
    mode: enforce
    trigger: {http: {name: score, body: {kind: [goal]}}}
    actions: [{put_metadata: {payload: {by: "{{ http.body.by }}"}}}]
`);
    const request = (requestId: string, body: unknown) =>
      engine.decide({
        kind: 'http',
        observation: { kind: 'http', requestId, name: 'score', channelArn: arnOf('a'), body, atMs: engine.nowMs },
        atMs: engine.nowMs,
      });
    await request('r1', { kind: 'goal', by: 'Ada' });
    await request('r1', { kind: 'goal', by: 'Ada' });
    await request('r2', { kind: 'corner' });

    expect(engine.jobs.map(({ payload }) => payload.params)).toEqual([{ payload: { by: 'Ada' } }]);
    expect(engine.story).toEqual(['0 acted fired a', '0 not_fired already_acted a']);
  });
});

describe('schedules', () => {
  const rules = (match: string) => `
time_intervals:
  - name: show
    time_intervals: [{times: [{start_time: "12:10", end_time: "12:20"}], location: UTC}]
rules:
  - name: record
    mode: enforce
    trigger: {schedule: {active_time_intervals: [show]}}
    ${match}
    actions: [{emit_event: {detail_type: on, detail: {}}}]
    on_resolve: [{emit_event: {detail_type: off, detail: {}}}]
`;

  test('fire at the start and resolve at the end, for each selected channel', async () => {
    const engine = new Engine(rules('match: {tags: {record: [scheduled]}}'));
    await engine.channel('a', { record: 'scheduled' });
    await engine.channel('b');
    await engine.due();
    await engine.goTo(900);
    await engine.channel('c', { record: 'scheduled' });
    await engine.goTo(3600);

    expect(engine.log).toEqual(['600 emit_event a', '900 emit_event c', '1200 emit_event a', '1200 emit_event c']);
  });

  test('fire once when nothing is selected, and again the next day', async () => {
    const engine = new Engine(rules(''));
    await engine.due();
    await engine.goTo(3600 * 25);

    expect(engine.log).toEqual(['600 emit_event -', '1200 emit_event -', '87000 emit_event -', '87600 emit_event -']);
  });

  test('reach thousands of channels in steps', async () => {
    const engine = new Engine(
      `${rules('match: {tags: {record: [scheduled]}}').trimEnd()}\n    guards: {cooldown: 0s}\n`,
    );
    for (let index = 0; index < 1200; index += 1) await engine.channel(`c${index}`, { record: 'scheduled' });
    await engine.due();
    await engine.goTo(601);

    expect(new Set(engine.jobs.map(({ payload }) => payload.channelArn)).size).toBe(1200);
    expect(engine.jobs).toHaveLength(1200);
  });
});

test('an event inhibits what comes with it, and for as long as it keeps firing', async () => {
  const engine = new Engine(`
inhibit_rules:
  - {source_matchers: ['rule="takeover"'], target_matchers: ['rule="hello"'], equal: [channel]}
rules:
  - name: hello
    mode: enforce
    trigger: {event: {detail: {event_name: [{prefix: Stream}]}}}
    actions: [{put_metadata: {payload: hello}}]
    guards: {cooldown: 0s}
  - name: takeover
    mode: enforce
    trigger: {event: {detail: {event_name: [Stream Takeover]}}}
    keep_firing_for: 30s
    actions: [{emit_event: {detail_type: takeover, detail: {}}}]
    guards: {cooldown: 0s}
`);
  const happens = (name: string, event: string) => engine.event(name, 'IVS Stream State Change', { event_name: event });
  await happens('a', 'Stream Takeover');
  await happens('b', 'Stream Start');
  await engine.goTo(20);
  await happens('a', 'Stream Start');
  await engine.goTo(40);
  await happens('a', 'Stream Start');

  expect(engine.log).toEqual(['0 emit_event a', '0 put_metadata b', '40 put_metadata a']);
  expect(engine.story.filter((line) => line.includes('inhibited'))).toEqual([
    '0 suppressed inhibited a',
    '20 suppressed inhibited a',
  ]);
});
