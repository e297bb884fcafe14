// `/v1/audit`: who did what and why, as pages or as a full export in JSON lines; and the log of messages to webhooks.
import { Readable } from 'node:stream';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { channelArn } from '#domain/action.ts';
import type { ChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { logs } from '#domain/state-registry.ts';
import { mayNameViewers, withoutViewerIds } from '#domain/viewer-ids.ts';
import { type AuditFilter, type AuditRow, auditEntries, auditLine } from '#journal/audit.ts';
import { shownCheck } from '#journal/checks.ts';
import { nameOf } from '#streams/queries.ts';
import { type Caller, mayActAs } from '../auth.ts';
import { moment, momentMs } from '../moment.ts';
import { MergedLog, type Reach, unaskedField, unaskedOf } from '../reach.ts';
import { check } from './job-schemas.ts';

const time = z.iso.datetime();

const entry = z.object({
  id: z.string(),
  at: time,
  who: z.string().describe('`rule <name>` or `token <name>`'),
  what: z.string(),
  outcome: z.string().describe('requested, refused, done, already_done, skipped, deferred, failed'),
  why: z.string().describe('The given reason, or the id of the decision'),
  channelArn: z.string().optional(),
  channelName: z.string().optional(),
  jobId: z.string().optional(),
  params: z.unknown().optional(),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
  reason: z.string().optional(),
  dryRun: z.boolean().optional(),
  configHash: z.string().optional(),
  decisionId: z.string().optional(),
  checks: z.array(check).optional().describe('Values compared right before it'),
});
const delivery = z.object({
  id: z.string(),
  at: time,
  jobId: z.string(),
  action: z.string(),
  host: z.string(),
  attempt: z.number().int(),
  status: z.number().int().optional(),
  error: z.string().optional(),
});

const filter = {
  channelArn: channelArn.optional(),
  who: z.string().max(200).optional(),
  what: z.string().max(100).optional(),
  since: moment.optional().describe('Only since then: a time, or how long ago, such as 2h'),
  until: moment.optional().describe('Only before this time'),
};
/**
 * The id of a log's row, as Redis numbers them: `<epoch ms>-<number>`. Anything else is refused, and so is `0-0`, which nothing can
 * precede.
 */
const logCursor = z
  .string()
  .regex(/^[1-9]\d{0,15}-\d{1,9}$/, 'expected `next` of the previous page')
  .describe('`next` of the previous page');
/** For the audit, where an entry may stand for many rows: with the row, `<epoch ms>-<number>.<row>`. */
const auditCursor = z
  .string()
  .regex(/^[1-9]\d{0,15}-\d{1,9}(?:\.\d{1,5})?$/, 'expected `next` of the previous page')
  .describe('`next` of the previous page');
const tags = ['Journal'];
/** Entries that one request examines; if a filter matches few, `next` continues the search. */
const mostLooked = 20_000;
/** Exports that one replica writes at a time: each reads the whole log. */
const mostExports = 4;

export interface AuditRoutesOptions {
  /** The audit of the accounts that this process carries. */
  readonly state: Pick<SharedState, 'readLog' | 'nowMs' | 'view'>;
  /** If other processes carry accounts. */
  readonly reach?: Reach | undefined;
  /** Removes secrets: the export is sent line by line and bypasses the server's own removal. */
  readonly scrub: (text: string) => string;
}

export function auditRoutes({ state, reach, scrub }: AuditRoutesOptions): FastifyPluginAsyncZod {
  let exports = 0;
  return async (app) => {
    app.get(
      '/audit',
      {
        schema: {
          operationId: 'listAudit',
          summary: 'List who did what and why, newest first',
          tags,
          querystring: z.strictObject({
            ...filter,
            limit: z.coerce.number().int().min(1).max(1_000).default(100),
            before: auditCursor.optional(),
          }),
          response: { 200: z.object({ entries: z.array(entry), next: z.string().optional(), unasked: unaskedField }) },
        },
      },
      async ({ query, caller }) => {
        const entries: z.infer<typeof entry>[] = [];
        const log = new MergedLog(state, reach);
        const found = auditEntries(log, filterOf(query, state.nowMs()), query.before, mostLooked);
        for (let step = await found.next(); ; step = await found.next()) {
          if (step.done)
            return { entries, ...(step.value === undefined ? {} : { next: step.value }), ...unaskedOf(log) };
          const { atMs, checks, ...row } = shownTo(caller, step.value);
          const name = row.channelArn === undefined ? '' : nameOf(state.view, row.channelArn as ChannelArn);
          entries.push({
            ...row,
            at: new Date(atMs).toISOString(),
            ...(name === '' ? {} : { channelName: name }),
            ...(checks ? { checks: checks.map(shownCheck) } : {}),
          });
          if (entries.length === query.limit) return { entries, next: row.id, ...unaskedOf(log) };
        }
      },
    );
    app.get(
      '/audit/export',
      {
        schema: {
          operationId: 'exportAudit',
          summary: 'Export the whole audit as JSON lines, newest first',
          tags,
          querystring: z.strictObject(filter),
        },
      },
      async ({ query, caller }, reply) => {
        if (exports >= mostExports)
          throw new AppError('TOO_MANY_EXPORTS', `${mostExports} exports of the audit are being written`, {
            disposition: { kind: 'retry-after', delayMs: 5_000 },
          });
        exports += 1;
        reply.raw.once('close', () => (exports -= 1));
        const lines = async function* () {
          const log = new MergedLog(state, reach);
          for await (const row of auditEntries(log, filterOf(query, state.nowMs()))) {
            // A truncated export looks like a whole one, so the connection is broken off.
            const [missing] = log.unasked;
            if (missing) throw new AppError('REDIS_UNREACHABLE', `${missing.account}: ${missing.reason}`);
            yield scrub(auditLine(shownTo(caller, row)));
          }
        };
        return reply
          .type('application/x-ndjson')
          .header('content-disposition', 'attachment; filename="audit.jsonl"')
          .send(Readable.from(lines()));
      },
    );
    app.get(
      '/deliveries',
      {
        schema: {
          operationId: 'listDeliveries',
          summary: 'List messages to webhooks and their results, newest first',
          tags,
          querystring: z.strictObject({
            limit: z.coerce.number().int().min(1).max(1_000).default(100),
            before: logCursor.optional(),
          }),
          response: { 200: z.object({ deliveries: z.array(delivery), next: z.string().optional() }) },
        },
      },
      async ({ query: { limit, before } }) => {
        const rows = await state.readLog(logs.deliveries, {
          limit,
          ...(before === undefined ? {} : { before }),
        });
        const deliveries = rows.map(({ id, entry: { atMs, ...rest } }) => ({
          id,
          at: new Date(atMs).toISOString(),
          ...rest,
        }));
        return { deliveries, ...(rows.length === limit ? { next: rows.at(-1)!.id } : {}) };
      },
    );
  };
}

/** A caller who may only look does not see which viewers were meant. */
function shownTo({ role }: Caller, row: AuditRow): AuditRow {
  return mayNameViewers(row.what) && !mayActAs(role, 'operator') ? withoutViewerIds(row) : row;
}

function filterOf(
  query: {
    readonly channelArn?: string | undefined;
    readonly who?: string | undefined;
    readonly what?: string | undefined;
    readonly since?: string | undefined;
    readonly until?: string | undefined;
  },
  nowMs: number,
): AuditFilter {
  const { since, until, ...rest } = query;
  return {
    ...rest,
    ...(since === undefined ? {} : { sinceMs: momentMs(since, nowMs) }),
    ...(until === undefined ? {} : { untilMs: momentMs(until, nowMs) }),
  };
}
