// What happened during unseen time: the time that has to be looked up, and what IVS reports about it afterwards, applied to the records as
// events that were learnt. No timer counts that time: it stays a data gap. Rules judge an end as they would have at the time, and act on it
// only within `max_event_age`.
import { parseChannelArn } from '#domain/channel.ts';
import { ivsEvents } from '#domain/ivs-events.ts';
import type { EventObservation, HistoryObservation, HistorySession } from '#domain/observation.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { notes } from '#domain/state-registry.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';
import { fold } from './channel-records.ts';
import { knownSession } from './keys.ts';

/** Records unseen time. It joins the time that has not been looked up yet, and the look-up starts again. */
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

/** Two reports of one moment: IVS's lists and its events round to whole seconds. */
const sameMomentMs = 1_000;

/** Applies learnt sessions to the channel's records; an end that no event had reported is an event for the rules. */
export function applyHistory(tx: Transaction, { channelArn, sessions, atMs }: HistoryObservation): StreamChange[] {
  const changes: StreamChange[] = [];
  for (const session of sessions.toSorted((a, b) => a.startTimeMs - b.startTimeMs)) {
    let record = knownSession(tx, channelArn, session.streamId);
    const wasOver = record?.basis.endedMs !== undefined || record?.basis.failedMs !== undefined;
    for (const observation of eventsOf(channelArn, session, atMs)) {
      if (isTold(record, observation)) continue;
      // However old: it is from unseen time, so it is not a fragment of an archived session.
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

/** As EventBridge would have sent them, in order; start and end are always included. */
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
