// Finds the events in a message of the queue, and reports how they were wrapped: directly from an EventBridge rule, inside an SNS
// notification, in the list of a pipe, or encoded twice. Any message with a complete event is accepted; any other gets advice that fits its
// form.
// https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes.html
import { deepestJson, nestsDeeper } from '#domain/json-depth.ts';
import type { EventEnvelope } from '#domain/observation.ts';
import { envelopeIn } from './schema.ts';

/** Values of the label `road` of autopilot_event_messages_total. */
export const wrappings = ['direct', 'sns', 'pipes', 'double_encoded'] as const;
/** How an event was wrapped; the outermost wrapping if there are several. */
export type Wrapping = (typeof wrappings)[number];

/** A part of a message that is no event. */
export interface Unreadable {
  readonly problem: string;
  /** What to do about it. */
  readonly advice: string;
}

/** The content of a message. */
export interface ReadMessage {
  readonly wrapping: Wrapping;
  readonly envelopes: readonly EventEnvelope[];
  readonly unreadable: readonly Unreadable[];
}

/** Deeper wrapping is not read. */
const deepest = 5;
/** As many of the smallest events as fit into the largest message. */
const mostEvents = 10_000;

/** Reads the body of a message. */
export function readMessage(body: string): ReadMessage {
  const found: { wrapping: Wrapping; envelopes: EventEnvelope[]; unreadable: Unreadable[] } = {
    wrapping: 'direct',
    envelopes: [],
    unreadable: [],
  };
  const take = (value: unknown, depth: number): void => {
    const inner = unwrap(value);
    if (inner && depth < deepest) {
      if (depth === 0) found.wrapping = inner.wrapping;
      for (const part of inner.parts.slice(0, mostEvents)) take(part, depth + 1);
      return;
    }
    const read = envelopeIn(value);
    if ('envelope' in read) found.envelopes.push(read.envelope);
    else found.unreadable.push({ problem: read.problem, advice: adviceFor(value) });
  };
  const json = parsed(body);
  if (json === undefined) {
    const isDeep = nestsDeeper(body, deepestJson);
    const problem = isDeep ? `nests deeper than ${deepestJson} levels` : 'the body is not JSON';
    found.unreadable.push({ problem, advice: adviceForText(body) });
  } else take(json, 0);
  return found;
}

/** What a wrapping contains; undefined if the value is no wrapping. */
function unwrap(value: unknown): { readonly wrapping: Wrapping; readonly parts: readonly unknown[] } | undefined {
  if (typeof value === 'string') {
    const inner = parsed(value);
    return inner === undefined ? undefined : { wrapping: 'double_encoded', parts: [inner] };
  }
  if (Array.isArray(value)) return value.length > 0 ? { wrapping: 'pipes', parts: value } : undefined;
  if (!isRecord(value) || 'detail-type' in value) return undefined;
  // SNS without raw delivery. What was published may itself be an object that was encoded once.
  if (value['Type'] === 'Notification' && 'Message' in value) {
    const message = value['Message'];
    return { wrapping: 'sns', parts: [typeof message === 'string' ? (parsed(message) ?? message) : message] };
  }
  // A pipe from a queue forwards the messages of that queue unchanged.
  if (typeof value['body'] === 'string' && 'messageId' in value) {
    return { wrapping: 'pipes', parts: [parsed(value['body']) ?? value['body']] };
  }
  const records = value['Records'];
  if (Array.isArray(records) && records.some((record) => isRecord(record) && ('body' in record || 'Sns' in record))) {
    return {
      wrapping: 'pipes',
      parts: records.map((record) =>
        isRecord(record) && record['Sns'] ? { Type: 'Notification', ...record['Sns'] } : record,
      ),
    };
  }
  return undefined;
}

/** A value that is nested too deep is not parsed, because later code is recursive and would fail at each delivery. */
function parsed(text: string): unknown {
  if (nestsDeeper(text, deepestJson)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function adviceForText(text: string): string {
  if (text.trim() === '') return 'The message is empty: find out who sends to this queue besides the EventBridge rule.';
  const decoded = /^[A-Za-z0-9+/=\s]{40,}$/.test(text) ? Buffer.from(text, 'base64').toString('utf8') : '';
  if (parsed(decoded) !== undefined)
    return 'The message is encoded in Base64: have the sender put the JSON of the event into the body without encoding it.';
  if (/^\s*[[{]/.test(text)) {
    return 'The JSON is cut off or broken at a quotation mark, as from an input template: have the target of the rule send the matched event, without an input transformer.';
  }
  return 'This text does not come from EventBridge: find out who sends to this queue, and give the daemon a queue that only the EventBridge rule sends to.';
}

const transformer =
  'Have the target of the rule send the matched event: no input path, no input transformer. `ivs-autopilot bootstrap` sets this up.';

/** Advice for JSON that contains no event. */
function adviceFor(value: unknown): string {
  if (typeof value === 'string') return adviceForText(value);
  if (!isRecord(value))
    return 'The message contains no object: have the sender put one whole event, or a list of events, into it.';
  const type = value['Type'];
  if (type === 'SubscriptionConfirmation' || type === 'UnsubscribeConfirmation') {
    return 'An SNS topic asks to confirm the subscription of this queue: confirm it if events should arrive through SNS, with raw message delivery on, or remove it.';
  }
  if (value['Event'] === 's3:TestEvent' || Array.isArray(value['Records'])) {
    return 'This is a notification of another service, such as S3: give it a queue of its own.';
  }
  if ('AlarmName' in value) return 'This is an alarm of CloudWatch: send it to a queue or topic of its own.';
  if ('specversion' in value)
    return 'This is a CloudEvent: have the bridge in between send the EventBridge event unchanged.';
  if ('event_name' in value || 'recording_status' in value || 'limit_name' in value || 'channel_name' in value) {
    return `This is only the \`detail\` of an event. ${transformer}`;
  }
  if ('detail-type' in value || 'detail' in value) return `The envelope of the event is incomplete. ${transformer}`;
  return `This is not an EventBridge event. ${transformer}`;
}
