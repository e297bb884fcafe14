import { expect, test } from 'vitest';
import { kinds, notes } from '#domain/state-registry.ts';
import { createLogger, Scrubber } from '#runtime/logger.ts';
import { Engine, rulesetOf } from '#test/support/engine.ts';
import { kindOf } from '#test/support/plain-keys.ts';
import { testMetrics } from '#test/support/quiet.ts';
import { event, Noticing, poll, snapshot } from '#test/support/streams.ts';
import { StoredRecords } from './stored-records.ts';

function setup() {
  const log: string[] = [];
  const logger = createLogger({
    level: 'info',
    scrubber: new Scrubber(),
    destination: { write: (line) => void log.push(line) },
  });
  return { log, records: new StoredRecords({ logger, metrics: testMetrics(), shard: 'main' }) };
}

test('reads a sound record as it is, including members that it does not know', async () => {
  const { log, records } = setup();
  const noticing = new Noticing();
  await noticing.see(
    event('Stream Start', { channel: 'A', stream: 's1', at: 0 }),
    poll('all', { at: 1_000, streams: [snapshot('A', 's1')] }),
  );
  for (const kind of ['stream', 'meta'])
    for (const [id, value] of noticing.state.view.entries(kindOf(kind))) {
      const told = typeof value === 'object' ? { ...value, somethingNew: 1 } : value;
      expect(records.read(`${kind}/${id}`, JSON.stringify(told))).toEqual(told);
    }
  expect(records.read('of-a-later-version/x', '[1]')).toEqual([1]);
  expect(log).toEqual([]);
});

test('reads what is kept of a rule that was removed while it fired', async () => {
  const { log, records } = setup();
  const engine = new Engine(`
rules:
  - name: slate
    mode: enforce
    match: {name: [{prefix: a}]}
    trigger: {state: {health: [STARVING]}}
    actions: [{put_metadata: {payload: on}}]
    on_resolve: [{put_metadata: {payload: off}}, {insert_ad_break: {duration: 30s}}]
    guards: {max_live_percent: 100, min_gap: 5m, group_by: [channel, tags.tier]}
  - name: limits
    trigger: {event: {source: [aws.ivs]}}
    actions: [{put_metadata: {payload: on}}]
    on_resolve: [{put_metadata: {payload: off}}]
    while: {live: [true]}
    guards: {group_by: [detail.limit_name]}
`);
  await engine.goLive('a', 'STARVING');
  const { view } = engine.state;
  const ends = [view.get(notes.onResolve)];
  engine.ruleset = rulesetOf('rules: []\n');
  await engine.due();
  ends.push(view.get(notes.onResolve));
  const memories = Array.from(view.entries(kinds.ruleMemory), ([, memory]) => memory);

  expect(memories).toMatchObject([{ firing: { left: { steps: [{}, {}], minGapMs: 300_000 } } }]);
  for (const each of ends) expect(records.read('meta/on-resolve', JSON.stringify(each))).toEqual(each);
  for (const each of memories) expect(records.read(kinds.ruleMemory.of('x', 'a'), JSON.stringify(each))).toEqual(each);
  expect(log).toEqual([]);
});

test.each(['no json', '', 'null', '5', '[]', '{}', '"text"', '{"state":"dizzy"}'])(
  'sets aside a stream, fact, timer or job stored as %s and reports it once, by its key',
  (stored) => {
    const { log, records } = setup();
    for (const kind of ['stream', 'channel', 'fact', 'moment', 'timer', 'job', 'gap', 'incident'])
      for (let times = 0; times < 3; times += 1) expect(records.read(`${kind}/x`, stored)).toBeUndefined();

    expect(log.length).toBe(8);
    expect(log.every((line) => line.includes('"code":"STORED_RECORD_ODD"'))).toBe(true);
    expect([...records.odd.keys()]).toContain('fact/x');
  },
);

test('treats a pause, a hold or a silence that cannot be read as in force', () => {
  const { records } = setup();
  for (const stored of ['no json', 'null', '{}', '{"who":5}']) {
    expect(records.read('pause/global', stored)).toMatchObject({ who: 'unknown' });
    expect(records.read('hold/arn', stored)).toMatchObject({ who: 'unknown' });
    expect(records.read('hold/arn', stored)).not.toHaveProperty('untilMs');
    expect(records.read('silence/s', stored)).toMatchObject({ matchers: ['rule=~".*"'], startsMs: 0 });
  }
});

test('an entry that is repaired no longer counts as damaged', () => {
  const { records } = setup();
  records.read('cooldown/rule|a', '"soon"');
  expect(records.odd.size).toBe(1);

  expect(records.read('cooldown/rule|a', '5')).toBe(5);
  expect(records.odd.size).toBe(0);
});
