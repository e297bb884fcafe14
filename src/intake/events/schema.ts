// The envelope of an EventBridge event, read leniently: only indispensable fields are required, and further fields are kept unchanged.
// https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
import { z } from 'zod';
import { deepestJson, nestsDeeper } from '#domain/json-depth.ts';
import type { EventEnvelope } from '#domain/observation.ts';

const timeForm = { offset: true, local: false } as const;

/** Exported for the test: what is taken without the schema must satisfy it. */
export const eventShape = z.looseObject({
  version: z.string().optional(),
  id: z.string().min(1).max(256),
  'detail-type': z.string().min(1).max(256),
  source: z.string().min(1).max(256),
  account: z.string().default(''),
  time: z.iso.datetime(timeForm),
  region: z.string().default(''),
  resources: z.array(z.string()).default([]),
  detail: z.record(z.string(), z.unknown()),
});

/** An event, or why there is none. */
export type ParsedEnvelope = { readonly envelope: EventEnvelope } | { readonly problem: string };

/** Reads a text as an event, or says why it is none. */
export function parseEnvelope(body: string): ParsedEnvelope {
  // Checked before parsing, because later code is recursive and would fail again at each delivery.
  if (nestsDeeper(body, deepestJson)) return { problem: `nests deeper than ${deepestJson} levels` };
  try {
    return envelopeIn(JSON.parse(body));
  } catch {
    return { problem: 'the body is not JSON' };
  }
}

/** Reads a JSON value as an event, or says why it is none. A complete event is taken as it is, without a copy. */
export function envelopeIn(json: unknown): ParsedEnvelope {
  if (isComplete(json)) return { envelope: json };
  const parsed = eventShape.safeParse(json);
  if (parsed.success) return { envelope: parsed.data as EventEnvelope };
  const [issue] = parsed.error.issues;
  return { problem: `${issue?.path.join('.') || 'the body'}: ${issue?.message ?? 'is no event'}` };
}

const timePattern = z.core.regexes.datetime(timeForm);

/**
 * Whether a JSON value has every field of an event, each as the schema requires it. EventBridge sends nothing else, and the schema costs
 * several times as much: it also copies the event, adds what is missing, and says what is wrong.
 */
function isComplete(json: unknown): json is EventEnvelope {
  if (!isPlain(json)) return false;
  const { version, id, 'detail-type': type, source, account, time, region, resources, detail } = json;
  return (
    isName(id) &&
    isName(type) &&
    isName(source) &&
    typeof version === 'string' &&
    typeof account === 'string' &&
    typeof region === 'string' &&
    typeof time === 'string' &&
    timePattern.test(time) &&
    Array.isArray(resources) &&
    resources.every((resource) => typeof resource === 'string') &&
    isPlain(detail)
  );
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= 256;
}

/** The schema leaves a field named `__proto__` out: a copy made field by field would take it for the prototype. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Object.hasOwn(value, '__proto__');
}
