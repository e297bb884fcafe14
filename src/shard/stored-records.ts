// Entries of the shared state as they come from Redis: of an older or newer version, restored, or changed by hand. A malformed entry stops
// nothing and is not read as "nothing": it is reported and set aside, and stays in Redis unchanged until something overwrites it. A
// malformed pause, hold or silence is in force: a control is not lost because it cannot be read.
import { z } from 'zod';
import { actionNames } from '#domain/action.ts';
import { approvalStates } from '#domain/approval.ts';
import { approverRoles } from '#domain/approval-terms.ts';
import type { Hold, Pause, Silence } from '#domain/control.ts';
import { decisionReasons } from '#domain/decision.ts';
import { streamStates } from '#domain/stream-record.ts';
import { isJobName } from '#jobs/catalog.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

const ms = z.number();
const text = z.string();
const texts = z.array(text);

const stream = z.object({
  channelArn: text,
  streamId: text,
  channelName: text,
  state: z.enum(streamStates),
  stateSinceMs: ms,
  health: text,
  evidence: z.record(text, z.object({ source: text, name: text })),
  timeline: z.array(z.object({ source: text, name: text, eventTimeMs: ms, text })),
  limitBreaches: z.array(z.object({ limitName: text, atMs: ms })),
  adBreaks: z.array(z.object({ id: text, insertedAtMs: ms, startsAtMs: ms, endsAtMs: ms })).optional(),
  basis: z.object({ missed: z.array(z.object({ startedAtMs: ms, finishedAtMs: ms })) }),
});
const cause = z.object({ id: text, evidence: z.object({ kind: text, sinceMs: ms, text }) });
const keptStep = z.object({
  index: z.number(),
  action: z.enum(actionNames),
  params: z.looseObject({}),
  afterMs: ms,
  onlyIf: z.record(text, z.unknown()).optional(),
  approval: z.literal(true).optional(),
});
const keptEnd = z.object({
  steps: z.array(keptStep),
  groupBy: z
    .array(
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('channel') }),
        z.object({ kind: z.literal('tag'), tag: text }),
        z.object({ kind: z.literal('event'), path: texts }),
      ]),
    )
    .min(1),
  match: z.record(text, z.unknown()).optional(),
  minGapMs: ms.optional(),
});
const firing = z.object({
  cause,
  firedAtMs: ms,
  acted: z.boolean(),
  decisionId: text,
  left: keptEnd.extend({ atMs: ms }).optional(),
});

/** The least that an entry of each kind must have; of other kinds only valid JSON is required. */
const shapes: Readonly<Record<string, z.ZodType>> = {
  stream,
  past: z.array(stream),
  rested: z.record(text, ms),
  channel: z.object({ arn: text, name: text, tags: z.record(text, text), recordingConfigurationArn: text }),
  'bulk-check': z.object({ bulkId: text, channelArn: text, expected: z.record(text, z.unknown()) }),
  'stream-key': z.object({ keyArn: text, sinceMs: ms, made: z.boolean() }),
  gap: z.object({ sinceMs: ms, noticedAtMs: ms }),
  fact: z.object({
    rule: text,
    subject: text,
    conditionHash: text,
    acted: texts,
    touchedMs: ms,
    pending: z.object({ cause }).optional(),
    firing: firing.optional(),
    once: z.object({ streamId: text, values: z.array(z.number()) }).optional(),
  }),
  moment: z.object({
    rule: text,
    subject: text,
    conditionHash: text,
    cause,
    heldMs: ms,
    blocked: z.enum(Object.keys(decisionReasons)),
  }),
  timer: z.object({
    kind: z.enum(['for', 'step', 'end']),
    rule: text,
    subject: text,
    sinceMs: ms,
    runsMs: ms,
    freezes: z.boolean(),
    firing: firing.optional(),
  }),
  watch: texts,
  cooldown: ms,
  rate: z.array(ms),
  approval: z.object({
    id: text,
    state: z.enum(approvalStates),
    rule: text,
    ruleHash: text,
    subject: text,
    list: z.enum(['actions', 'on_resolve']),
    step: z.number(),
    action: z.enum(actionNames),
    params: z.looseObject({}),
    firing,
    terms: z.object({
      by: z.enum(approverRoles),
      count: z.number().int().positive(),
      notByAuthor: z.boolean(),
      timeoutMs: ms,
      show: texts,
    }),
    why: text,
    decisionId: text,
    askedAtMs: ms,
    untilMs: ms,
    values: z.record(text, z.unknown()),
    answers: z.array(
      z.object({ verdict: z.enum(['approve', 'reject']), who: text, from: text, reason: text, atMs: ms }),
    ),
  }),
  hold: z.object({ who: text, reason: text, sinceMs: ms, untilMs: ms.optional() }),
  silence: z.object({ matchers: texts, author: text, reason: text, startsMs: ms, endsMs: ms }),
  pause: z.object({ who: text, reason: text, sinceMs: ms }),
  gone: z.object({ atMs: ms }),
  'alert-group': z.object({
    receiver: text,
    groupKey: text,
    groupLabels: z.record(text, text),
    intervalMs: ms,
    repeatMs: ms,
    nextMs: ms,
    hasFlushed: z.boolean(),
    count: z.number(),
    more: z.number(),
  }),
  'group-alert': z.object({
    fingerprint: text,
    labels: z.record(text, text),
    startsAtMs: ms,
    text,
    decidedAtMs: ms,
    firing: z.object({ rule: text, subject: text, causeId: text }).optional(),
  }),
  sent: z.array(ms),
  delivered: z.object({ atMs: ms }),
  alert: z.object({
    kind: text,
    sinceMs: ms.optional(),
    text: text.optional(),
    jobs: z.array(z.looseObject({ jobId: text })).optional(),
    channelArns: texts.optional(),
  }),
  acknowledged: z.object({ who: text, note: text, atMs: ms }),
  escalated: z.object({ atMs: ms }),
  'seen-alert': z.object({ kind: text, title: text, cause: text, link: text, sinceMs: ms, seenMs: ms }),
  notified: z.object({
    taken: z.array(z.union([text, z.number()])),
    waits: z.record(text, ms).optional(),
    atMs: ms.optional(),
  }),
  incident: z.object({ id: text, kind: text, rule: text, openedAtMs: ms, affected: z.number() }),
  job: z.object({
    jobId: text,
    name: text.refine(isJobName, 'no job of that name is known'),
    payload: z.looseObject({}),
  }),
  'meta/shift-summary': z.object({ times: text, fromMs: ms, dueMs: ms }),
  'meta/warm': z.object({ polledMs: ms }),
  'meta/unseen': z.object({ silent: z.record(text, ms), past: z.array(z.tuple([ms, ms])) }),
  'meta/recheck': z.object({ dueMs: ms }),
  'ad-break': z.object({
    jobId: text,
    state: z.enum(['planned', 'sent', 'inserted', 'unknown', 'cancelled']),
    atMs: ms,
    durationSeconds: z.number(),
  }),
  'meta/turn': z.object({ dueMs: ms, lookedMs: ms }),
  'meta/pass-all': z.object({ startedAtMs: ms, finishedAtMs: ms, pages: z.number() }),
  'meta/pass-starving': z.object({ startedAtMs: ms, finishedAtMs: ms, pages: z.number() }),
  'meta/key-audit': z.object({
    allMs: ms.optional(),
    triedMs: ms.optional(),
    listedTo: text.optional(),
    claim: z.object({ by: text, untilMs: ms }).optional(),
  }),
  'meta/key-age': z.object({ dueMs: ms, after: text.optional(), nextMs: ms.optional() }),
  'meta/look-back': z.object({
    fromMs: ms,
    toMs: ms,
    phase: z.enum(['suspects', 'all']),
    after: text.optional(),
    claim: z.object({ by: text, untilMs: ms }).optional(),
    learnt: z.number(),
  }),
  'meta/queue-read': z.object({ atMs: ms }),
  'meta/gaps-watched-since': ms,
  'meta/lineage': z.object({ former: texts }),
  // Malformed: it stands by until somebody activates it again.
  'meta/activation': z.object({ who: text, reason: text, sinceMs: ms }),
  'meta/heartbeat': ms,
  'meta/pulse': ms,
  'meta/ruleset': z.object({ hash: text, rules: z.record(text, text), unseen: texts }),
  'meta/on-resolve': z.object({ hash: text, rules: z.record(text, keptEnd) }),
  'meta/population': z.object({ live: z.number(), aggregates: z.record(text, z.looseObject({})) }),
};

const who = 'unknown';
const reason = 'its stored record cannot be read, so it counts as in force';
/** Replaces a control that cannot be read; the same in every replica. */
const inForce: Readonly<Record<string, Pause | Hold | Silence>> = {
  pause: { who, reason, sinceMs: 0 },
  hold: { who, reason, sinceMs: 0 },
  silence: { matchers: ['rule=~".*"'], author: who, reason, startsMs: 0, endsMs: Date.UTC(9999, 0) },
};

/** The most malformed entries that are reported one by one; beyond that, only their number. */
const mostLogged = 100;

export interface StoredRecordsOptions {
  /** A child for the shard. */
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly shard: string;
}

export class StoredRecords {
  readonly #options: StoredRecordsOptions;
  readonly #odd = new Map<string, string>();

  constructor(options: StoredRecordsOptions) {
    this.#options = options;
  }

  /** Entries that were malformed when they were last read, with what is wrong about each. */
  get odd(): ReadonlyMap<string, string> {
    return this.#odd;
  }

  /** Returns an entry's value; undefined if it is set aside. Never throws. */
  read(key: string, stored: string): unknown {
    const kind = key.slice(0, key.indexOf('/'));
    let value: unknown;
    let problem: string | undefined;
    try {
      value = JSON.parse(stored);
      problem = problemOf(shapes[key] ?? shapes[kind], value);
    } catch {
      problem = 'is no JSON';
    }
    if (problem === undefined) {
      this.#odd.delete(key);
      return value;
    }
    this.#tell(key, kind, problem);
    return inForce[kind];
  }

  #tell(key: string, kind: string, problem: string): void {
    const { logger, metrics, shard } = this.#options;
    if (this.#odd.get(key) === problem) return;
    this.#odd.set(key, problem);
    metrics.oddRecords.inc({ shard, kind });
    if (this.#odd.size > mostLogged) return;
    const what = kind in inForce ? 'it counts as in force' : 'it is ignored until it is overwritten';
    logger.error({ code: 'STORED_RECORD_ODD', key, problem }, `an entry of the shared state cannot be read: ${what}`);
  }
}

function problemOf(shape: z.ZodType | undefined, value: unknown): string | undefined {
  const parsed = shape?.safeParse(value);
  if (parsed?.success !== false) return undefined;
  const [issue] = parsed.error.issues;
  return `${issue?.path.join('.') || 'the entry'}: ${issue?.message ?? 'is not what was expected'}`;
}
