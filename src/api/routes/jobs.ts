// `/v1/jobs/{id}`: what a job is doing, step by step, and how it ended; sending a message again.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { mayNameViewers, withoutViewerIds } from '#domain/viewer-ids.ts';
import { actorOf, mayActAs } from '../auth.ts';
import { check, delivery } from './job-schemas.ts';

const job = z.object({
  jobId: z.string(),
  name: z.string(),
  state: z
    .enum(['pending', 'waiting', 'delayed', 'active', 'completed', 'failed'])
    .describe('pending: decided and stored, not in the queue yet'),
  channelArn: z.string().optional(),
  cause: z.unknown(),
  params: z.unknown(),
  dryRun: z.boolean().optional(),
  decidedAt: z.iso.datetime().optional(),
  startedAt: z.iso.datetime().optional(),
  finishedAt: z.iso.datetime().optional(),
  attempts: z.number().int().describe('Includes failed runs that were repeated'),
  steps: z.array(z.looseObject({ step: z.string(), at: z.iso.datetime() })).describe('Oldest first'),
  checks: z.array(check).describe('What was compared right before it acted, or did not, oldest first'),
  decisionId: z.string().optional().describe('Id of the decision that caused it'),
  delivery: delivery.optional(),
  result: z.unknown().describe('For an ended job: outcome, reason, before, after; for a dry run: calls'),
  error: z.string().optional(),
});
export type JobView = z.infer<typeof job>;

export interface JobsPort {
  /** @throws AppError NOT_FOUND */
  read(jobId: string): Promise<JobView>;
  /** Sends the message of a finished webhook, notify or emit_event again. @throws AppError NOT_FOUND, JOB_NOT_RESENDABLE */
  resend(jobId: string, who: string): Promise<{ readonly jobId: string }>;
}

const tags = ['Actions'];
const params = z.strictObject({ id: z.string().min(1).max(128).describe('The jobId') });

export function jobRoutes({ jobs }: { readonly jobs: JobsPort }): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/jobs/:id',
      {
        schema: {
          operationId: 'getJob',
          summary: 'Show one job: its state, its steps so far, its result',
          tags,
          params,
          response: { 200: job },
        },
      },
      async ({ params: { id }, caller }) => {
        const found = await jobs.read(id);
        const isOpen = !mayNameViewers(found.name) || mayActAs(caller.role, 'operator');
        return isOpen ? found : withoutViewerIds(found);
      },
    );
    app.post(
      '/jobs/:id/resend',
      {
        schema: {
          operationId: 'resendJob',
          summary: 'Send the message of a webhook, notify or emit_event job again',
          tags,
          params,
          body: z.union([z.strictObject({}), z.null()]).optional(),
          response: { 202: z.object({ jobId: z.string() }) },
        },
      },
      async (request, reply) => {
        reply.code(202);
        return jobs.resend(request.params.id, actorOf(request.caller));
      },
    );
  };
}
