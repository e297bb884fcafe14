import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import type { CallRecord } from '#simulator/client.ts';
import type { Committed } from '#src/pipeline.ts';
import { senders } from './evening.ts';
import { Narrator } from './narrator.ts';

const arn = (number: number) => `arn:aws:ivs:us-west-2:111122223333:channel/${number}`;
const names = new Map(Array.from({ length: 9 }, (_, index) => [arn(index), `studio-0${index}`]));
let lines: string[];
let narrator: Narrator;
beforeEach(() => {
  lines = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line.replace(/^ *[\d.]+ s {2}/, '')));
  narrator = new Narrator({ names, senders, colour: false });
});
afterEach(() => void vi.restoreAllMocks());

type Health = 'STARVING' | 'HEALTHY' | 'UNKNOWN';
/** A commit in which the health of studio-01 changes. */
function becomes(health: Health): Committed {
  const record = { channelArn: arn(1), streamId: 'st-1', state: 'live', timeline: [{ source: 'poll' }] };
  const change = { kind: 'stream', before: { ...record, health: 'STARVING' }, after: { ...record, health } };
  return { changes: [change], decisions: [], repeats: [], observations: [] } as unknown as Committed;
}
/** A commit of one decision. */
function decided(channelArn: string, outcome: string, reason: string, actions: readonly string[] = []): Committed {
  const decision = {
    rule: 'tag-late-shows',
    group: channelArn,
    channelArn,
    outcome,
    reason,
    atMs: 1_000,
    trigger: { sinceMs: 0 },
    jobs: actions.map((action) => ({ jobId: action, action })),
  };
  return { changes: [], decisions: [decision], repeats: [], observations: [] } as unknown as Committed;
}
const cue = (channelArn: string, ...payloads: unknown[]) => ({
  seq: 1,
  at: 0,
  channelArn,
  streamId: 'st-1',
  metadata: JSON.stringify({ v: 1, items: payloads.map((d) => ({ id: 'i', t: 0, d })) }),
});

test.each<[Health, string]>([
  ['HEALTHY', 'studio-01 has recovered (by a poll)'],
  ['UNKNOWN', 'studio-01 is no longer listed as starving (by a poll)'],
])('a starving stream that becomes %s', (health, says) => {
  narrator.committed(becomes(health));

  expect(lines).toEqual([`notices  ${says}`]);
});

test('metadata is told once with its sender, also several payloads of one call, and a refused call', () => {
  const [show, poll] = [
    { type: 'slate', show: true },
    { type: 'poll', question: 'Who wins?' },
  ];
  narrator.called(
    [{ operation: 'PutMetadata', channelArn: arn(1), outcome: 'ChannelNotBroadcasting' } as CallRecord],
    [cue(arn(2), show), cue(arn(3), show, poll), ...[4, 5, 6].map((number) => cue(arn(number), poll))],
  );

  expect(lines).toEqual([
    'does     PutMetadata on studio-01: ChannelNotBroadcasting',
    'does     PutMetadata on studio-02, studio-03: {"type":"slate","show":true} from starving-slate',
    'does     PutMetadata on 4 channels: {"type":"poll","question":"Who wins?"} from the video team’s batch',
  ]);
});

test('what rules in dry run would do is told in one line', () => {
  for (const number of [1, 2, 3, 4]) narrator.committed(decided(arn(number), 'would_act', 'fired', ['tag']));
  narrator.called([], []);
  narrator.called([], []);

  expect(lines).toEqual([
    'decides  tag-late-shows: would do tag for 4 channels: only recorded, because the rule is in dry run',
  ]);
});

test('knows what is still pending', () => {
  narrator.committed(decided(arn(1), 'pending', 'condition_began'));
  narrator.committed(decided(arn(2), 'pending', 'condition_began'));
  narrator.committed(decided(arn(1), 'not_fired', 'for_not_reached'));

  expect(narrator.pending).toEqual(['tag-late-shows for studio-02']);
});

test('knows the sender of all metadata of the demo’s rules', async () => {
  const { rules } = parse(await readFile(join(import.meta.dirname, 'autopilot.yaml'), 'utf8')) as {
    rules: readonly { name: string }[];
  };
  const types = rules.flatMap((rule) =>
    Array.from(JSON.stringify(rule).matchAll(/"payload":\{"type":"(\w+)"/g), ([, type]) => [type, rule.name]),
  );

  expect(Object.entries(senders)).toEqual(expect.arrayContaining(types));
  expect(types.length).toBeGreaterThanOrEqual(4);
});
