// What happened while nobody looked: the time that has to be looked back at, and what IVS tells of it afterwards, folded into the
// records as events that were learnt. No timer counts that time: it stays a data gap. Of an end the rules are told as they would
// have been, and act on it only as long as `max_event_age` allows.
import { parseChannelArn } from '#domain/channel.ts';
import { ivsEvents } from '#domain/ivs-events.ts';
import type { EventObservation, HistoryObservation, HistorySession } from '#domain/observation.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { notes } from '#domain/state-registry.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';
import { fold } from './channel-records.ts';
import { knownSession } from './keys.ts';

/** Notes time that nobody saw. What was not looked back at yet joins it, and the look back begins anew. */
export function noteUnseen(
  tx: Transaction,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): void {
  const known = tx.get(notes.lookBack);
  tx.set(notes.lookBack, {
    fromMs: Math.min(fromMs, known?.fromMs ?? fromMs),
    toMs: Math.max(toMs, known?.toMs ?? toMs),
    phase: 'suspects',
    learnt: known?.learnt ?? 0,
  });
}

/** Two tellings of one moment: the lists of IVS and its events round to whole seconds. */
const sameMomentMs = 1_000;

/** Folds sessions that were learnt into the channel's records; a session's end that no event had told is an event for the rules. */
export function applyHistory(tx: Transaction, { channelArn, sessions, atMs }: HistoryObservation): StreamChange[] {
  const changes: StreamChange[] = [];
  for (const session of sessions.toSorted((a, b) => a.startTimeMs - b.startTimeMs)) {
    let record = knownSession(tx, channelArn, session.streamId);
    const wasOver = record?.basis.endedMs !== undefined || record?.basis.failedMs !== undefined;
    for (const observation of eventsOf(channelArn, session, atMs)) {
      if (isTold(record, observation)) continue;
      // However old: it is of time that was not seen, and so no fragment of what was archived.
      const options = { unknownAfterMs: Number.NEGATIVE_INFINITY };
      const folded = fold(tx, channelArn, session.streamId, { kind: 'event', observation }, options);
      changes.push(...folded.changes);
      record = folded.record;
      const isEnd = observation.envelope.detail['event_name'] === 'Stream End';
      if (isEnd && !wasOver && record) changes.push({ kind: 'event', observation, record, atMs: tx.nowMs });
    }
  }
  return changes;
}

function isTold(record: StreamRecord | undefined, { envelope, eventTimeMs }: EventObservation): boolean {
  const name = envelope.detail['event_name'] ?? envelope.detail['recording_status'];
  return (
    record?.timeline.some(
      (entry) => entry.name === name && Math.abs(entry.eventTimeMs - eventTimeMs) <= sameMomentMs,
    ) ?? false
  );
}

type Telling = Pick<HistorySession['events'][number], 'name' | 'type' | 'timeMs' | 'code'>;

/** As EventBridge would have sent them, in order; its start and its end are there in any case. */
function eventsOf(
  channelArn: HistoryObservation['channelArn'],
  { streamId, startTimeMs, endTimeMs, events }: HistorySession,
  atMs: number,
): EventObservation[] {
  const type = 'IVS Stream State Change';
  const told: Telling[] = events.filter(
    (event) => Object.hasOwn(ivsEvents, event.type) && event.type !== 'IVS Limit Breach',
  );
  const has = (...names: readonly string[]) => told.some(({ name }) => names.includes(name));
  if (!has('Stream Start')) told.push({ type, name: 'Stream Start', timeMs: startTimeMs });
  if (endTimeMs !== undefined && !has('Stream End', 'Stream Failure'))
    told.push({ type, name: 'Stream End', timeMs: endTimeMs });
  const { region = '', account = '' } = parseChannelArn(channelArn) ?? {};
  return told
    .toSorted((a, b) => a.timeMs - b.timeMs)
    .map((event): EventObservation => {
      const eventTimeMs = Math.floor(Math.min(event.timeMs, atMs) / 1000) * 1000;
      const nameField = event.type === 'IVS Recording State Change' ? 'recording_status' : 'event_name';
      return {
        kind: 'event',
        learnt: true,
        channelArn,
        eventTimeMs,
        arrivedAtMs: atMs,
        envelope: {
          version: '0',
          id: `learnt-${streamId}-${event.name}-${eventTimeMs}`,
          'detail-type': event.type,
          source: 'aws.ivs',
          account,
          time: new Date(eventTimeMs).toISOString().replace('.000Z', 'Z'),
          region,
          resources: [channelArn],
          detail: {
            [nameField]: event.name,
            stream_id: streamId,
            ...(event.code === undefined ? {} : { code: event.code }),
          },
        },
      };
    });
}
