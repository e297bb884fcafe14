import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ivsEvents } from '#domain/ivs-events.ts';
import { eventNameOf, readEvent } from '#streams/event-signs.ts';
import { type Observed, observeEvent } from './observe.ts';
import { parseEnvelope } from './schema.ts';

const folder = join(import.meta.dirname, '../../../test/fixtures/events');
const fixtures = readdirSync(folder).map(
  (file) => [file.replace('.json', ''), readFileSync(join(folder, file), 'utf8')] as const,
);
const textOf = (name: string) => fixtures.find(([known]) => known === name)![1];

function observe(body: string, options: Partial<Parameters<typeof observeEvent>[1]> = {}): Observed {
  const parsed = parseEnvelope(body);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return observeEvent(parsed.envelope, { arrivedAtMs: 0, sources: ['aws.ivs'], ...options });
}

describe('an event in every real form', () => {
  const ours = fixtures.filter(([name]) => !/^(cloudtrail|real-time)-/.test(name));

  test.each(ours)('%s is observed under a known name, and loses nothing', (_name, body) => {
    const seen = observe(body);

    expect(seen).toMatchObject({ kind: 'observation', unknown: undefined });
    if (seen.kind !== 'observation') return;
    expect(seen.observation.envelope).toEqual(JSON.parse(body));
    expect(seen.observation.eventTimeMs).toBe(Date.parse((JSON.parse(body) as { time: string }).time));
  });

  test('has a fixture for every name of every type', () => {
    const seen = new Set(
      ours
        .map(([, body]) => observe(body))
        .flatMap((found) => (found.kind === 'observation' ? [eventNameOf(found.observation)] : [])),
    );

    for (const { names } of Object.values(ivsEvents)) for (const name of names) expect([...seen]).toContain(name);
  });

  test.each([
    ['cloudtrail-api-call', 'cloudtrail'],
    ['real-time-stage-update', 'real_time'],
    ['real-time-composition-state-change', 'real_time'],
  ])('%s is ignored for the reason %s', (name, reason) => {
    expect(observe(textOf(name))).toEqual({ kind: 'ignored', reason });
  });
});

test('reads the name of a limit from limit_name and from limit', () => {
  const seen = observe(textOf('limit-breach-ingest-bitrate-as-limit'));

  if (seen.kind !== 'observation') throw new Error('ignored');
  expect(readEvent(seen.observation)).toMatchObject({
    name: 'Ingest Bitrate',
    breach: { limitName: 'Ingest Bitrate', exceededBy: 420_000 },
  });
});

test('accepts a space after the ARN of the channel, as in a sample from AWS', () => {
  expect(observe(textOf('ad-break-state-change-ad-break-inserted'))).toMatchObject({
    observation: { channelArn: 'arn:aws:ivs:us-west-2:111122223333:channel/Qw3rTy7uIoP1' },
  });
});

test('observes a breach of an account’s limit, which has no channel', () => {
  expect(observe(textOf('limit-breach-concurrent-viewers'))).toMatchObject({
    kind: 'observation',
    observation: { channelArn: undefined },
  });
});

describe('an unknown or foreign event', () => {
  const start = JSON.parse(textOf('stream-state-change-stream-start')) as Record<string, unknown>;
  const changed = (change: object) => JSON.stringify({ ...start, ...change });

  test('of another source is ignored, unless it is the configured source of a drill', () => {
    expect(observe(changed({ source: 'sim.ivs' }))).toEqual({ kind: 'ignored', reason: 'other_source' });
    expect(observe(changed({ source: 'sim.ivs' }), { sources: ['aws.ivs', 'sim.ivs'] }).kind).toBe('observation');
  });

  test('of an unknown detail type is observed and marked', () => {
    expect(observe(changed({ 'detail-type': 'IVS Something New' }))).toMatchObject({
      kind: 'observation',
      type: 'other',
      unknown: 'type',
    });
    expect(observe(changed({ 'detail-type': 'IVS Something New', resources: [] }))).toMatchObject({ unknown: 'type' });
  });

  test('with a known name in an unknown detail type says nothing about the stream', () => {
    const seen = observe(changed({ 'detail-type': 'IVS Something New' }));

    if (seen.kind !== 'observation') throw new Error('not observed');
    expect(readEvent(seen.observation)).toMatchObject({ name: 'Stream Start', live: false });
  });

  test('without a channel is ignored, with a reason that keeps it', () => {
    expect(observe(changed({ resources: [] }))).toEqual({ kind: 'ignored', reason: 'no_channel' });
  });

  test('of a known type with an unknown name is observed and marked', () => {
    const detail = { event_name: 'Stream Pause', channel_name: '', stream_id: 'st-1A2b3c4D5e6F78ghij9Klmn' };

    expect(observe(changed({ detail }))).toMatchObject({ kind: 'observation', unknown: 'name' });
  });
});

test.each([
  ['no JSON', '{"id": '],
  ['a list', '[]'],
  ['null', 'null'],
  ['no id', JSON.stringify({ ...(JSON.parse(textOf('stream-state-change-stream-end')) as object), id: undefined })],
  [
    'an invalid time',
    JSON.stringify({ ...(JSON.parse(textOf('stream-state-change-stream-end')) as object), time: 'yesterday' }),
  ],
  [
    'a detail that is only a text',
    JSON.stringify({ ...(JSON.parse(textOf('stream-state-change-stream-end')) as object), detail: 'x' }),
  ],
])('reports a body with %s as unreadable', (_what, body) => {
  expect(parseEnvelope(body)).toMatchObject({ problem: expect.any(String) as unknown });
});

test('keeps unknown fields, and is safe against names of the object prototype', () => {
  const body = `{"__proto__":{"x":1},${textOf('stream-state-change-stream-end').trim().slice(1, -1)},"new":{"a":[1]}}`;

  const seen = observe(body.replace('"Stream End"', '"constructor"'));

  expect(seen).toMatchObject({
    kind: 'observation',
    unknown: 'name',
    observation: { envelope: { new: { a: [1] } } },
  });
  if (seen.kind === 'observation')
    expect(readEvent(seen.observation)).toMatchObject({ name: 'constructor', existed: false });
});
