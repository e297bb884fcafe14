// The envelope of an EventBridge event, read leniently: only indispensable fields are required, and further fields are kept unchanged.
// https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
import { z } from 'zod';
import { deepestJson, nestsDeeper } from '#domain/json-depth.ts';
import type { EventEnvelope } from '#domain/observation.ts';

const envelope = z.looseObject({
  version: z.string().optional(),
  id: z.string().min(1).max(256),
  'detail-type': z.string().min(1).max(256),
  source: z.string().min(1).max(256),
  account: z.string().default(''),
  time: z.iso.datetime({ offset: true, local: false }),
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

/** Reads a JSON value as an event, or says why it is none. */
export function envelopeIn(json: unknown): ParsedEnvelope {
  const parsed = envelope.safeParse(json);
  if (parsed.success) return { envelope: parsed.data as EventEnvelope };
  const [issue] = parsed.error.issues;
  return { problem: `${issue?.path.join('.') || 'the body'}: ${issue?.message ?? 'is no event'}` };
}
