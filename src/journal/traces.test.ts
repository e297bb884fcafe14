import { expect, test } from 'vitest';
import type { Channel, ChannelArn } from '#domain/channel.ts';
import type { Decision } from '#domain/decision.ts';
import { kinds } from '#domain/state-registry.ts';
import { MemoryState } from '#store/memory-state.ts';
import { audit } from './audit.ts';
import { recordDecisions } from './record.ts';
import { traceOfChannel, traceOfDecision, traceOfJob, unknownSession } from './traces.ts';

const atMs = Date.parse('2026-11-20T10:00:00Z');
const arn = 'arn:aws:ivs:us-west-2:111122223333:channel/aaaabbbbcccc' as ChannelArn;

async function setup() {
  const state = new MemoryState({ now: () => atMs });
  const decision: Decision = {
    id: 'd-1',
    rule: 'slate',
    mode: 'enforce',
    outcome: 'suppressed',
    reason: 'cooldown',
    atMs,
    channelArn: arn,
    channelName: 'Evening News',
    streamId: 'st-1',
    group: arn,
    cause: 'c',
    trigger: { kind: 'state', sinceMs: atMs, text: '', values: {} },
    guards: [],
    jobs: [],
    withheld: [],
  };
  return { state, decision };
}

test('describes a decision that left the journal from the rule’s last reason, or from what was done for it', async () => {
  const { state } = await setup();
  await state.transact((tx) => {
    tx.set(kinds.last.of('slate', arn), {
      decisionId: 'd-1',
      atMs,
      outcome: 'suppressed',
      reason: 'cooldown',
      values: {},
    });
    tx.set(kinds.channel.of(arn), { arn, name: 'Evening News', tags: {} } as unknown as Channel);
    audit(tx, {
      who: 'rule slate',
      what: 'stop_stream',
      outcome: 'done',
      why: 'd-2',
      channelArn: arn,
      jobId: 'stop-1',
    });
  });
  expect(await traceOfDecision(state, 'd-1')).toBe(
    `of rule slate about Evening News (${arn}) at 2026-11-20T10:00:00.000Z: suppressed, cooldown`,
  );
  const done = `stop_stream on Evening News (${arn}) by rule slate, done at 2026-11-20T10:00:00.000Z`;
  expect(await traceOfDecision(state, 'd-2')).toBe(`of ${done}`);
  expect(await traceOfJob(state, 'stop-1')).toBe(done);
  expect([await traceOfDecision(state, 'd-3'), await traceOfJob(state, 'stop-2')]).toEqual(['', '']);
});

test('describes a deleted channel or session from the last decision about it', async () => {
  const { state, decision } = await setup();
  await state.transact((tx) => recordDecisions(tx, [decision]));
  const left =
    'Evening News, last decided about at 2026-11-20T10:00:00.000Z (rule slate: suppressed, fired too recently)';
  expect(await traceOfChannel(state, arn)).toBe(left);
  expect((await unknownSession(state, arn, 'st-1')).message).toMatch(
    new RegExp(`session st-1 of ${arn}.*; what is left of it: Evening News`),
  );
  expect((await unknownSession(state, arn, 'st-2')).message).not.toContain('what is left');
});
