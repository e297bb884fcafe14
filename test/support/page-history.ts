// The records of the stand in page-stand.ts: decisions, their outcomes, the audit, and samples of viewers and health.
import { type ChannelArn, channelIdOf, type StreamId } from '#domain/channel.ts';
import type { Decision } from '#domain/decision.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds, logs } from '#domain/state-registry.ts';
import { recordDecisions, recordJobResult } from '#journal/record.ts';
import type { MemoryState } from '#store/memory-state.ts';
import { channelArnAt, channelAt } from './page-channels.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;
const kept = 100_000;

/** Writes all of it. @param options `streams`: the number of the channel that has an earlier session */
export async function writeHistory(
  state: MemoryState,
  {
    nowMs,
    streams,
    pastDecisions,
  }: { readonly nowMs: number; readonly streams: number; readonly pastDecisions: number },
): Promise<void> {
  await state.transact((tx) => {
    for (let second = pastDecisions; second > 0; second -= 1)
      recordDecisions(tx, [
        {
          ...decisionAt(second % 3, nowMs - minuteMs - (second === pastDecisions ? 2 * dayMs : second * 1000)),
          id: `d-past-${second}`,
          rule: 'mass-starvation',
          outcome: 'not_fired',
          reason: 'for_not_reached',
          jobs: [],
        },
      ]);
    writeDecisions(tx, nowMs);
    writeAudit(tx, nowMs);
    for (const [, record] of tx.entries(kinds.stream))
      if (record.channelArn === channelArnAt(4))
        writeSamples(tx, record.channelArn, record.streamId, { nowMs, minutes: 60 });
    for (const session of tx.get(kinds.past.of(channelArnAt(streams))) ?? [])
      writeSamples(tx, session.channelArn, session.streamId, { nowMs: session.endedAtMs ?? nowMs, minutes: 60 });
  });
}

/** One of the last hour, ten minutes of which were not seen. */
export function writeFleetSample(tx: Transaction, minute: number): void {
  if (minute < 30 || minute > 40) tx.append(logs.fleetSamples, [110 - (minute % 7), 4, 1, 90_000 + minute, 2], kept);
}

/** The oldest first, as rules write them: what is shown first was decided last. */
function writeDecisions(tx: Transaction, nowMs: number): void {
  const atMs = nowMs - minuteMs;
  const acted = decisionAt(4, atMs);
  const { guards } = acted;
  const cooled = decisionAt(17, atMs);
  recordDecisions(tx, [{ ...cooled, outcome: 'suppressed', reason: 'cooldown', jobs: [] }]);
  const example: Decision = { ...cooled, id: 'd-8', guards, outcome: 'suppressed', reason: 'recovering', jobs: [] };
  const channelIds = [17, 8, 9, 10, 11, 12, 13, 14, 15].map((index) => channelIdOf(channelArnAt(index)));
  tx.append(
    logs.journal,
    {
      summary: true,
      rule: example.rule,
      outcome: 'suppressed',
      reason: 'recovering',
      atMs,
      count: 9,
      channelIds,
      example,
    },
    kept,
  );
  recordDecisions(tx, [
    {
      ...decisionAt(6, atMs),
      guards,
      outcome: 'would_act',
      mode: 'dry_run',
      jobs: [{ jobId: 'tag-1', action: 'tag' }],
    },
  ]);
  recordDecisions(tx, [
    {
      ...decisionAt(5, atMs),
      guards,
      reason: 'step_due',
      afterMs: 180_000,
      jobs: [{ jobId: 'stop_stream-1', action: 'stop_stream' }],
    },
  ]);
  recordJobResult(tx, {
    jobId: 'stop_stream-1',
    decisionId: 'd-5',
    atMs,
    outcome: 'skipped',
    detail: 'skipped: only_if_false',
  });
  recordDecisions(tx, [acted]);
}

function decisionAt(index: number, atMs: number): Decision {
  return {
    id: `d-${index}`,
    rule: 'starving-slate',
    mode: 'enforce',
    outcome: 'acted',
    reason: 'fired',
    atMs,
    channelArn: channelArnAt(index),
    channelName: channelAt(index).name,
    group: channelArnAt(index),
    cause: 'c',
    trigger: { kind: 'state', sinceMs: atMs - 30_000, text: 'health is STARVING', values: { health: 'STARVING' } },
    guards: [
      { guard: 'warm_up', passed: true, values: {} },
      { guard: 'cooldown', passed: index === 4, values: { cooldown: '10m', since_last: index === 4 ? '3h' : '4m' } },
      { guard: 'max_live_percent', passed: true, values: { percent: 2.5, max: 5 } },
    ],
    jobs: [{ jobId: 'put_metadata-1', action: 'put_metadata' }],
    withheld: [],
  };
}

function writeAudit(tx: Transaction, nowMs: number): void {
  const channelArn = channelArnAt(4);
  tx.append(
    logs.audit,
    {
      atMs: nowMs - 20 * minuteMs,
      who: 'token mara',
      what: 'set_recording',
      outcome: 'done',
      why: 'rights end at 22:00',
      channelArn,
      jobId: 'set_recording-1',
      params: { recording: 'off' },
      before: {
        recordingConfigurationArn: 'arn:aws:ivs:us-west-2:111122223333:recording-configuration/abcd',
        type: 'STANDARD',
      },
      after: { recordingConfigurationArn: '', type: 'STANDARD' },
    },
    kept,
  );
  tx.append(
    logs.audit,
    {
      atMs: nowMs - minuteMs,
      who: 'rule starving-slate',
      what: 'put_metadata',
      outcome: 'done',
      why: 'd-4',
      channelArn,
      reason: 'PutMetadata answered 204',
    },
    kept,
  );
}

/** Viewers that rise and fall, a minute without data, and starvation towards the end. */
function writeSamples(
  tx: Transaction,
  channelArn: ChannelArn,
  streamId: StreamId,
  { nowMs, minutes }: { readonly nowMs: number; readonly minutes: number },
): void {
  for (let minute = minutes; minute > 0; minute -= 1) {
    if (minute > 30 && minute < 36) continue;
    const viewers = 900 + Math.round(500 * Math.sin(minute / 7)) + (minute % 3) * 20;
    const health = minute < 3 ? 1 : 0;
    const lateSeconds = Math.round((tx.nowMs - nowMs) / 1000) + minute * 60;
    tx.append(logs.samples(channelIdOf(channelArn), streamId), [(viewers + 1) * 4 + health, lateSeconds], kept);
  }
}
