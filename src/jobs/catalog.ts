// The contract between whoever enqueues and whoever works: for each job its queue, payload, attempts, time limit and retention.
import { z } from 'zod';
import { type ActionJob, type ActionName, actionNames, actionSchemas } from '#domain/action.ts';
import { AppError } from '#domain/errors.ts';
import { fanoutJobName, type MetadataFanout } from '#domain/metadata-fanout.ts';
import type { EventObservation, HttpObservation } from '#domain/observation.ts';

export const queueNames = [
  'actions',
  'notifications',
  'metadata-fanout',
  'poll-starving',
  'poll-all',
  'refresh-inventory',
] as const;
export type QueueName = (typeof queueNames)[number];

export interface JobKind {
  readonly queue: QueueName;
  /** Failed runs before the job counts as failed; waiting for a permit or a later moment does not count. */
  readonly attempts: number;
  readonly backoff: { readonly baseMs: number; readonly maxMs: number };
  /** The handler's signal is aborted after this long; the attempt then counts as failed. */
  readonly timeoutMs: number;
  /** Whoever runs the job logs its failures, once for each episode instead of each run. */
  readonly tellsItself?: boolean;
  /** The next run starts over anyway, so a stop interrupts this one instead of waiting for its end. */
  readonly mayBeCut?: boolean;
  /** How long a finished job is kept, and so blocks a second one with its id. */
  readonly keepSeconds: { readonly completed: number; readonly failed: number };
}

const day = 86_400;
const action: JobKind = {
  queue: 'actions',
  attempts: 12,
  backoff: { baseMs: 1_000, maxMs: 60_000 },
  timeoutMs: 120_000,
  keepSeconds: { completed: 2 * day, failed: 7 * day },
};
const poll = (queue: QueueName, timeoutMs: number): JobKind => ({
  queue,
  attempts: 1,
  backoff: { baseMs: 1_000, maxMs: 1_000 },
  timeoutMs,
  tellsItself: true,
  mayBeCut: true,
  keepSeconds: { completed: 60, failed: 3_600 },
});

export const jobCatalog = {
  ...(Object.fromEntries(actionNames.map((name) => [name, action])) as Record<ActionName, JobKind>),
  // A slow receiver may delay other messages, but never actions.
  notify: { ...action, queue: 'notifications' },
  webhook: { ...action, queue: 'notifications' },
  heartbeat: {
    queue: 'notifications',
    // No retry is needed, because the next heartbeat reports the same.
    attempts: 1,
    backoff: { baseMs: 1_000, maxMs: 1_000 },
    timeoutMs: 30_000,
    tellsItself: true,
    keepSeconds: { completed: 60, failed: 3_600 },
  },
  'metadata-fanout': { ...action, queue: 'metadata-fanout' },
  'verify-bulk': action,
  // An observation from another process, which carries other accounts.
  observe: {
    ...action,
    timeoutMs: 60_000,
    keepSeconds: { completed: day, failed: 7 * day },
  },
  'poll-starving': poll('poll-starving', 30_000),
  'poll-all': poll('poll-all', 300_000),
  'refresh-inventory': poll('refresh-inventory', 600_000),
} as const satisfies Record<string, JobKind>;

export type JobName = keyof typeof jobCatalog;

export function isJobName(name: string): name is JobName {
  return Object.hasOwn(jobCatalog, name);
}

const cause = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('rule'), rule: z.string(), decisionId: z.string() }),
  z.object({ kind: z.literal('operator'), who: z.string(), reason: z.string() }),
]);
const alert = z.object({
  fingerprint: z.string(),
  labels: z.record(z.string(), z.string()),
  startsAtMs: z.number(),
  endsAtMs: z.number().optional(),
  firing: z.object({ rule: z.string(), subject: z.string(), causeId: z.string() }).optional(),
  isAutomatic: z.boolean().optional(),
  needs: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('alert'), id: z.string(), sinceMs: z.number() }),
      z.object({ kind: z.literal('approval'), id: z.string() }),
    ])
    .optional(),
  isReport: z.literal(true).optional(),
});
const labels = z.record(z.string(), z.string());
const group = z.object({
  messageId: z.string(),
  sendResolved: z.boolean(),
  only: z.array(z.string()).optional(),
  notification: z.object({
    receiver: z.string(),
    groupKey: z.string(),
    groupLabels: labels,
    alerts: z.array(alert.extend({ text: z.string() })),
    firing: z.number(),
    resolved: z.number(),
  }),
});
const actionJob = z.object({
  action: z.enum(actionNames as [ActionName, ...ActionName[]]),
  params: z.unknown(),
  channelArn: z.string().optional(),
  streamId: z.string().optional(),
  cause,
  decidedAtMs: z.number(),
  onlyIf: z.record(z.string(), z.unknown()).optional(),
  deliveryFolder: z.string().optional(),
  match: z.record(z.string(), z.unknown()).optional(),
  dryRun: z.boolean().optional(),
  intentId: z.string().optional(),
  minGapMs: z.number().optional(),
  bulkId: z.string().optional(),
  alert: alert.optional(),
  group: group.optional(),
  isNotice: z.literal(true).optional(),
  isTest: z.literal(true).optional(),
});

const fanout = z.object({
  rule: z.string(),
  decidedAtMs: z.number(),
  params: actionSchemas.put_metadata,
  members: z
    .array(
      z.object({
        key: z.string().min(1).regex(/^\S+$/),
        channelArn: z.string(),
        decisionId: z.string(),
        streamId: z.string().optional(),
        payload: actionSchemas.put_metadata.shape.payload.optional(),
      }),
    )
    .min(1),
});

const observed = z.object({
  observation: z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('event'),
      envelope: z.looseObject({ id: z.string(), 'detail-type': z.string(), detail: z.record(z.string(), z.unknown()) }),
      channelArn: z.string().optional(),
      eventTimeMs: z.number(),
      arrivedAtMs: z.number(),
    }),
    z.object({
      kind: z.literal('http'),
      requestId: z.string(),
      author: z.string().optional(),
      name: z.string(),
      channelArn: z.string().optional(),
      body: z.unknown(),
      atMs: z.number(),
    }),
  ]),
});

/** Checks the payload of a job `observe`. @throws AppError JOB_PAYLOAD_INVALID naming the field */
export function parseObserved(payload: unknown): EventObservation | HttpObservation {
  const job = observed.safeParse(payload);
  if (!job.success) throw invalid('observe', job.error);
  return job.data.observation as EventObservation | HttpObservation;
}

/** Checks the payload of a fan-out's job. @throws AppError JOB_PAYLOAD_INVALID naming the field */
export function parseFanout(payload: unknown): MetadataFanout {
  const job = fanout.safeParse(payload);
  if (!job.success) throw invalid(fanoutJobName, job.error);
  return job.data;
}

/**
 * The queue of a job. Metadata for named channels has its own queue, in the order of the decisions: a job that reads from IVS before it
 * acts may wait for a permit, so it uses the queue of the other actions.
 */
export function queueOf(name: JobName, payload: Readonly<Record<string, unknown>>): QueueName {
  return name === 'put_metadata' && payload['onlyIf'] === undefined ? 'metadata-fanout' : jobCatalog[name].queue;
}

/** Checks the payload of an action's job. @throws AppError JOB_PAYLOAD_INVALID naming the field */
export function parseActionJob(name: string, payload: unknown): ActionJob {
  const job = actionJob.safeParse(payload);
  if (!job.success) throw invalid(name, job.error);
  const params = actionSchemas[job.data.action].safeParse(job.data.params);
  if (!params.success) throw invalid(name, params.error);
  return { ...job.data, params: params.data };
}

function invalid(name: string, error: z.ZodError): AppError {
  const issue = error.issues[0];
  return new AppError(
    'JOB_PAYLOAD_INVALID',
    `job ${name}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`,
    { cause: error },
  );
}
