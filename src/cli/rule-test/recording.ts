// Reads recordings: lines of observations and operators' commands as the daemon records them, or EventBridge events from an archive or a
// log.
import { z } from 'zod';
import { approverRoles } from '#domain/approval-terms.ts';
import { type ChannelArn, isChannelArn } from '#domain/channel.ts';
import { type Control, controlKinds } from '#domain/control.ts';
import type { EventEnvelope, Observation } from '#domain/observation.ts';
import type { RecordedLine } from '#journal/recorder.ts';

export type Recorded = RecordedLine;

export type RecordingResult =
  | { readonly ok: true; readonly recorded: readonly Recorded[] }
  | { readonly ok: false; readonly message: string };

const kinds = ['event', 'poll', 'data_gap', 'http', 'inventory', 'history', 'keys'];

/** Parses the text of a recording; returns it in the order of time. */
export function parseRecording(text: string, file: string): RecordingResult {
  const recorded: Recorded[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const entry = parseLine(line);
    if (typeof entry === 'string') return { ok: false, message: `${file}:${index + 1}:1: ${entry}` };
    recorded.push(entry);
  }
  if (recorded.length === 0) return { ok: false, message: `${file}: the recording is empty` };
  return { ok: true, recorded: recorded.sort((left, right) => left.atMs - right.atMs) };
}

function parseLine(line: string): Recorded | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'expected one JSON object per line';
  }
  if (typeof value !== 'object' || value === null) return 'expected one JSON object per line';
  if ('detail-type' in value) return ofEvent(value as Partial<EventEnvelope>);
  const { atMs, observation, control, inForce } = value as Readonly<Record<string, unknown>>;
  if (typeof atMs === 'number') {
    if (kinds.includes(kindOf(observation))) return { atMs, observation: observation as Observation };
    if (control !== undefined) return ofControl(control, 'control', (read) => ({ atMs, control: read }));
    if (Array.isArray(inForce)) return ofInForce(atMs, inForce);
  }
  return 'expected {"atMs": …, "observation" or "control": {"kind": …}} or an EventBridge event';
}

function kindOf(value: unknown): string {
  return typeof value === 'object' && value !== null && 'kind' in value ? String(value.kind) : '';
}

const text = z.string();
const ms = z.number();
const by = { who: text, reason: text };
const answer = { ...by, id: text, role: z.enum(approverRoles), from: text };
/** Commands of operators, as the daemon records them. */
const controlSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('hold'), ...by, channelArn: text, untilMs: ms.optional() }),
  z.object({ kind: z.literal('release'), ...by, channelArn: text }),
  z.object({ kind: z.literal('silence'), ...by, matchers: z.array(text), startsMs: ms, endsMs: ms }),
  z.object({ kind: z.literal('expire_silence'), ...by, id: text }),
  z.object({ kind: z.literal('pause'), ...by }),
  z.object({ kind: z.literal('resume'), ...by }),
  z.object({ kind: z.literal('restart_rule'), ...by, rule: text }),
  z.object({ kind: z.literal('cancel_timer'), ...by, id: text }),
  z.object({ kind: z.literal('approve'), ...answer }),
  z.object({ kind: z.literal('reject'), ...answer }),
]) satisfies z.ZodType<Control>;
/** Commands that stay in force; the others take effect once. */
const lasting: ReadonlySet<Control['kind']> = new Set(['hold', 'silence', 'pause']);

/** @param place its position in the line */
function ofControl<T>(value: unknown, place: string, made: (control: Control) => T): T | string {
  const kind = kindOf(value);
  if (!(controlKinds as readonly string[]).includes(kind))
    return `${place}.kind: expected one of ${controlKinds.join(', ')}, got ${JSON.stringify(kind.slice(0, 60))}`;
  const parsed = controlSchema.safeParse(value);
  if (parsed.success) return made(parsed.data);
  const [issue] = parsed.error.issues;
  return `${[place, ...(issue?.path ?? [])].map(String).join('.')}: ${issue?.message}`;
}

function ofInForce(atMs: number, given: readonly unknown[]): Recorded | string {
  const inForce: Control[] = [];
  for (const [index, value] of given.entries()) {
    const control = ofControl(value, `inForce.${index}`, (read) => read);
    if (typeof control === 'string') return control;
    if (!lasting.has(control.kind))
      return `inForce.${index}.kind: expected ${[...lasting].join(', ')}, got ${control.kind}, which takes effect once and does not stay in force`;
    inForce.push(control);
  }
  return { atMs, inForce };
}

/** An event without its time of arrival is assumed to have arrived at once. */
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
