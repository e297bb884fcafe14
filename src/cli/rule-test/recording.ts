// Reads what was recorded: lines of observations and operators' commands as the daemon records them, or EventBridge events as an
// archive or a log has them.
import { type ChannelArn, isChannelArn } from '#domain/channel.ts';
import { type Control, controlKinds } from '#domain/control.ts';
import type { EventEnvelope, Observation } from '#domain/observation.ts';
import type { RecordedLine } from '#journal/recorder.ts';

export type Recorded = RecordedLine;

export type RecordingResult =
  | { readonly ok: true; readonly recorded: readonly Recorded[] }
  | { readonly ok: false; readonly message: string };

const kinds = ['event', 'poll', 'data_gap', 'http', 'inventory', 'history', 'keys'];

/** Parses the text of a recording; in the order of time. */
export function parseRecording(text: string, file: string): RecordingResult {
  const recorded: Recorded[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const entry = parseLine(line);
    if (typeof entry === 'string') return { ok: false, message: `${file}:${index + 1}:1: ${entry}` };
    recorded.push(entry);
  }
  if (recorded.length === 0) return { ok: false, message: `${file}: nothing is recorded in it` };
  return { ok: true, recorded: recorded.sort((left, right) => left.atMs - right.atMs) };
}

function parseLine(line: string): Recorded | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'expected one JSON object in each line';
  }
  if (typeof value !== 'object' || value === null) return 'expected one JSON object in each line';
  if ('detail-type' in value) return ofEvent(value as Partial<EventEnvelope>);
  const { atMs, observation, control, inForce } = value as Readonly<Record<string, unknown>>;
  if (typeof atMs === 'number') {
    if (kinds.includes(kindOf(observation))) return { atMs, observation: observation as Observation };
    if (isControl(control)) return { atMs, control };
    if (Array.isArray(inForce) && inForce.every(isControl)) return { atMs, inForce };
  }
  return 'expected {"atMs": …, "observation" or "control": {"kind": …}} or an EventBridge event';
}

function kindOf(value: unknown): string {
  return typeof value === 'object' && value !== null && 'kind' in value ? String(value.kind) : '';
}

function isControl(value: unknown): value is Control {
  return (controlKinds as readonly string[]).includes(kindOf(value));
}

/** An event without the moment of its arrival is taken to have come at once. */
function ofEvent(envelope: Partial<EventEnvelope>): Recorded | string {
  const eventTimeMs = Date.parse(envelope.time ?? '');
  const hasAll = envelope.id !== undefined && Array.isArray(envelope.resources) && typeof envelope.detail === 'object';
  if (!hasAll || Number.isNaN(eventTimeMs)) return 'the event lacks id, time, resources or detail';
  const arn: string | undefined = envelope.resources?.find((resource) => isChannelArn(resource));
  return {
    atMs: eventTimeMs,
    observation: {
      kind: 'event',
      envelope: envelope as EventEnvelope,
      channelArn: arn as ChannelArn | undefined,
      eventTimeMs,
      arrivedAtMs: eventTimeMs,
    },
  };
}
