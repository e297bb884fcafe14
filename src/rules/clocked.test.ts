// Conditions that begin or end by the clock alone.
import { describe, expect, test } from 'vitest';
import { kinds, notes } from '#domain/state-registry.ts';
import { arnOf, Engine, epochMs } from '#test/support/engine.ts';

const tell = (text: string) => `[{emit_event: {detail_type: x, detail: {text: "${text}"}}}]`;
const rule = (more: string, actions = tell('{{ stream.ageSeconds }} {{ stream.startTime }}')) => `
rules:
  - name: r
    mode: enforce
    ${more}
    actions: ${actions}
`;
const long = (more = '') =>
  rule(`trigger: {state: {live: [true], ageSeconds: [{numeric: [">", 43200]}]}}\n    ${more}`);
const adBreak = (at: number) => ({
  adBreaks: [
    {
      id: 'one',
      insertedAtMs: epochMs + at * 1000,
      startsAtMs: epochMs + (at + 10) * 1000,
      endsAtMs: epochMs + (at + 40) * 1000,
    },
  ],
});

describe('the age of a stream', () => {
  test('fires for a stream that has been live for more than 12 h at that second, once', async () => {
    const engine = new Engine(long());
    await engine.goTo(100);
    await engine.goLive('a');
    await engine.goTo(50_000);

    expect(engine.log).toEqual(['43301 emit_event a']);
    expect(engine.jobs[0]!.payload.params).toMatchObject({ detail: { text: '43201 2026-11-20T12:01:40.000Z' } });
    expect(engine.decisions.at(-1)!.trigger.sinceMs).toBe(epochMs + 43_301_000);
  });

  test('starts `for` at that time', async () => {
    const engine = new Engine(long('for: 5m'));
    await engine.goLive('a');
    await engine.goTo(50_000);

    expect(engine.log).toEqual(['43501 emit_event a']);
  });

  test('resolves a condition that ends by age at that time', async () => {
    const engine = new Engine(
      rule(
        `trigger: {state: {ageSeconds: [{numeric: [">=", 60, "<", 120]}]}}\n    on_resolve: ${tell('over')}`,
        tell('in'),
      ),
    );
    await engine.goLive('a');
    await engine.goTo(600);

    expect(engine.log).toEqual(['60 emit_event a', '120 emit_event a']);
  });

  test('does not look for an age that was reached again, but for the next one', async () => {
    const engine = new Engine(rule('trigger: {state: {ageSeconds: [{numeric: [">=", 60, "<", 120]}]}}'));
    await engine.goLive('a');
    await engine.goTo(60);

    expect(engine.state.view.get(notes.turn)?.dueMs).toBe(epochMs + 120_000);
    await engine.goTo(120);
    expect(engine.state.view.get(notes.turn)).toBeUndefined();
  });

  test('each stream has its own age, whichever comes first, and an ended one has none', async () => {
    const engine = new Engine(long());
    await engine.goLive('a');
    await engine.goTo(1_000);
    await engine.goLive('b');
    await engine.goLive('c');
    await engine.goTo(2_000);
    await engine.endStream('c');
    await engine.goTo(100_000);

    expect(engine.log).toEqual(['43201 emit_event a', '44201 emit_event b']);
    expect(engine.state.view.get(notes.turn)).toBeUndefined();
  });

  test('a rule that is added later fires for a stream that is old enough, and for the others when they are', async () => {
    const engine = new Engine('rules: []');
    await engine.goLive('a');
    await engine.goTo(40_000);
    await engine.goLive('b');
    await engine.goTo(50_000);
    engine.ruleset = new Engine(long()).ruleset;
    await engine.goTo(100_000);

    expect(engine.log.map((line) => line.split(' ').slice(1).join(' '))).toEqual(['emit_event a', 'emit_event b']);
    expect(engine.log[1]).toBe('83201 emit_event b');
  });

  test('counts within `$or` as well', async () => {
    const engine = new Engine(
      rule('trigger: {state: {$or: [{health: [STARVING]}, {ageSeconds: [{numeric: [">=", 600]}]}]}}'),
    );
    await engine.goLive('a');
    await engine.goTo(1_000);

    expect(engine.log).toEqual(['600 emit_event a']);
  });

  test('rules without it leave nothing to look for', async () => {
    const engine = new Engine(rule('trigger: {state: {health: [STARVING]}}'));
    await engine.goLive('a');
    await engine.goTo(1_000);

    expect(engine.state.view.get(notes.turn)).toBeUndefined();
  });
});

describe('an ad break', () => {
  test('a rule on it fires with its event and resolves at its end, which no event reports', async () => {
    const engine = new Engine(
      rule(`trigger: {state: {adBreak: [true]}}\n    on_resolve: ${tell('over')}`, tell('{{ stream.adBreak }}')),
    );
    await engine.goLive('a');
    await engine.goTo(100);
    await engine.stream('a', adBreak(100));
    await engine.goTo(200);

    expect(engine.log).toEqual(['100 emit_event a', '140 emit_event a']);
    expect(engine.jobs[0]!.payload.params).toMatchObject({ detail: { text: true } });
  });

  test('ends what an event began `while` it lasted', async () => {
    const engine = new Engine(
      rule(
        `trigger: {event: {source: [aws.ivs], detail: {event_name: [Ad Break Inserted]}}}\n    while: {adBreak: [true]}\n    on_resolve: ${tell('over')}`,
        tell('{{ event.region }}'),
      ),
    );
    await engine.goLive('a');
    await engine.goTo(100);
    await engine.stream('a', adBreak(100));
    await engine.event('a', 'IVS Ad Break State Change', { event_name: 'Ad Break Inserted' });
    await engine.goTo(200);

    expect(engine.log).toEqual(['100 emit_event a', '140 emit_event a']);
  });

  test('is over for `while: {adBreak: [false]}` once its time is up', async () => {
    const engine = new Engine(rule('trigger: {state: {health: [STARVING]}}\n    while: {adBreak: [false]}', tell('x')));
    await engine.goLive('a');
    await engine.stream('a', adBreak(0));
    await engine.goTo(10);
    await engine.health('a', 'STARVING');
    await engine.goTo(100);

    expect(engine.log).toEqual(['40 emit_event a']);
  });
});

test('the Region of an event is that of its channel’s ARN, whatever the envelope says', async () => {
  const engine = new Engine(
    rule('trigger: {event: {source: [aws.ivs], region: [us-west-2]}}', tell('{{ event.region }}')),
  );
  await engine.goLive('a');
  const envelope = { region: 'us-east-1' };
  await engine.event('a', 'IVS Stream State Change', { event_name: 'Stream Start' }, { envelope });

  expect(engine.jobs.map(({ payload }) => payload.params)).toMatchObject([{ detail: { text: 'us-west-2' } }]);
  expect(engine.state.view.get(kinds.stream.of(arnOf('a')))).toBeDefined();
});
