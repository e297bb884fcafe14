// `/v1/streams/{channelArn}/report` and `/v1/reports`: what happened in a session, for people and for programs.
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { channelArn, type ReportFormat, reportFormats } from '#domain/action.ts';
import { streamHealths } from '#domain/channel.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { streamStates } from '#domain/stream-record.ts';
import { writeReport } from '#report/formats.ts';
import { gatherReport, type ReportSubject } from '#report/gather.ts';
import { reportPolicy } from '#report/html.ts';
import { reportLists } from '#report/model.ts';

const time = z.iso.datetime();
const count = z.number().int();
const seconds = z.number().int();
const text = z.string();

const session = z.object({
  channelArn: text,
  channelName: text,
  streamId: text,
  state: z.enum(streamStates),
  startedAt: time.optional(),
  endedAt: time.optional(),
  durationSeconds: seconds.optional(),
  endedAtLatest: z.literal(true).optional(),
  endReason: text.optional(),
  stoppedBy: text.optional(),
  learntAt: time.optional().describe('When an unobserved part of the session was read afterwards'),
  health: z.object({
    healthySeconds: seconds,
    starvingSeconds: seconds,
    unknownSeconds: seconds,
    unseenSeconds: seconds.describe('Nobody looked'),
    starving: z.array(
      z.object({
        from: time,
        to: time.optional().describe('Omitted: not observed, or still running'),
        ongoing: z.literal(true).optional(),
      }),
    ),
  }),
  viewers: z.object({
    peak: z.object({ viewers: count, at: time }).optional(),
    average: count.optional(),
  }),
  samples: z
    .array(z.object({ at: time, health: z.enum(streamHealths), viewers: count.optional() }))
    .describe('At most 720: for a long session, each combines several samples (most viewers, worst health)'),
  limitBreaches: z.array(
    z.object({
      at: time,
      limitName: text,
      limitValue: z.number().optional(),
      exceededBy: z.number().optional(),
      limitUnit: text.optional(),
    }),
  ),
  actions: z.array(
    z.object({
      at: time,
      rule: text,
      action: text,
      jobId: text,
      outcome: text.optional().describe('Omitted: it has not ended'),
      detail: text.optional(),
    }),
  ),
  withheld: z.array(z.object({ at: time, rule: text, action: text.optional(), reason: text, meaning: text })),
  operators: z.array(z.object({ at: time, who: text, what: text, outcome: text, why: text })),
  cues: z
    .object({ jobs: count, delivered: count, expired: count, failed: count, notSent: count })
    .describe('Timed metadata of rules'),
  adBreaks: z.array(z.object({ id: text, startsAt: time, endsAt: time })),
  recording: z.object({
    state: z.enum(['none', 'recording', 'ended', 'failed']),
    since: time.optional(),
    prefix: text.optional(),
  }),
  hints: z.array(text).optional().describe('Omitted: the session was not captured'),
  timeline: z.array(z.object({ at: time, source: text, name: text, text })),
  incomplete: z.literal(true).optional().describe('Part of the journal and the audit was not searched'),
  full: z.array(z.enum(reportLists)).optional().describe('Lists that reached their limit, so that there may be more'),
});

const report = z.object({
  version: z.literal(1),
  title: text,
  madeAt: time,
  sessions: z.array(session),
  leftOut: count.optional().describe('Channels beyond the first fifty'),
});

const format = z.enum(reportFormats).default('json').describe('For `md` and `html` the answer is text of that type');

export function reportRoutes({ state }: { readonly state: SharedState }): FastifyPluginAsyncZod {
  const tags = ['Streams'];
  const send = async (reply: FastifyReply, subject: ReportSubject, form: ReportFormat) => {
    const { text: written, contentType } = writeReport(await gatherReport(state, subject), form);
    return reply
      .type(contentType)
      .header('content-disposition', `attachment; filename="report.${form}"`)
      .header('content-security-policy', `${reportPolicy}; sandbox`)
      .send(written);
  };
  return async (app) => {
    app.get(
      '/streams/:channelArn/report',
      {
        schema: {
          operationId: 'getReport',
          summary: 'Report on a session of one channel',
          tags,
          params: z.strictObject({ channelArn }),
          querystring: z.strictObject({
            streamId: z.string().min(1).max(128).optional().describe('Default: the newest session'),
            format,
          }),
          response: { 200: report },
        },
      },
      ({ params, query }, reply) =>
        send(reply, { channelArn: params.channelArn, streamId: query.streamId }, query.format),
    );
    app.get(
      '/reports',
      {
        schema: {
          operationId: 'getReports',
          summary: 'Report on the newest session of every channel with a tag',
          tags,
          querystring: z.strictObject({
            tag: z
              .string()
              .max(400)
              .regex(/^[^=]{1,128}=/, 'expected key=value')
              .describe('`show=finals`; if no channel has it, the report has no sessions'),
            format,
          }),
          response: { 200: report },
        },
      },
      ({ query: { tag, format: form } }, reply) => {
        const at = tag.indexOf('=');
        return send(reply, { tag: { key: tag.slice(0, at), value: tag.slice(at + 1) } }, form);
      },
    );
  };
}
