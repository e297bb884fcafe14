// `/v1/actions`: actions that operators request by hand, for one channel or many; bulk actions are followed and stopped here.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type ActionName, type ActionParams, actionNames, actionSchemas, channelArn, targets } from '#domain/action.ts';
import { AppError } from '#domain/errors.ts';
import { notFound } from '#domain/not-found.ts';
import { actorOf, type Caller, mayActAs } from '../auth.ts';
import { plannedAdBreak } from './ad-breaks.ts';

const oneAction = z
  .strictObject(
    Object.fromEntries(actionNames.map((name) => [name, actionSchemas[name].optional()])) as {
      readonly [N in ActionName]: z.ZodOptional<(typeof actionSchemas)[N]>;
    },
  )
  .refine(
    (value) => Object.values(value).filter((params) => params !== undefined).length === 1,
    `expected exactly one of ${actionNames.join(', ')}`,
  )
  .describe('One action with its parameters, as in the rules file; templates may use {{ channel… }}');

const actionBody = z.strictObject({
  action: oneAction,
  channelArn: channelArn.optional(),
  targets: targets.optional().describe('Instead of channelArn: a job for each of these channels, a few at a time'),
  maxChannels: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(500)
    .describe('With targets: nothing is done if there are more channels than this'),
  streamId: z.string().min(1).max(64).optional().describe('Nothing is done if a different stream is live'),
  reason: z.string().min(1).max(500).describe('For the audit'),
  dryRun: z.boolean().optional().describe('The jobs only read the current state and show the calls they would make'),
});

const bulk = z.object({
  bulkId: z.string(),
  action: z.enum(actionNames as [ActionName, ...ActionName[]]),
  state: z.enum(['preparing', 'running', 'stopped', 'finished']),
  channels: z.number().int(),
  started: z.number().int().describe('Jobs handed out so far'),
  outcomes: z.record(z.string(), z.number().int()).describe('Ended jobs by outcome'),
  dryRun: z.boolean(),
  wouldDo: z
    .array(z.object({ channelArn: z.string(), calls: z.array(z.string()) }))
    .optional()
    .describe('In a dry run: the calls that the first twenty of its jobs would make, in order'),
  who: z.string(),
  reason: z.string(),
  since: z.iso.datetime(),
  endedAt: z.iso.datetime().optional(),
  verification: z
    .object({
      state: z.enum(['waiting', 'done']),
      checked: z.number().int(),
      differing: z.number().int(),
      differs: z
        .array(
          z.object({
            channelArn: z.string(),
            expected: z.record(z.string(), z.unknown()),
            found: z.record(z.string(), z.unknown()),
          }),
        )
        .describe('The first twenty'),
    })
    .optional()
    .describe('What the jobs set, compared with what IVS returns after all of them have ended'),
});
export type BulkView = z.infer<typeof bulk>;

const dryRun = z.literal(true).optional().describe('It was a dry run: nothing is changed');

export interface ActionRequest {
  readonly action: ActionName;
  readonly params: ActionParams;
  readonly channelArn: string | undefined;
  readonly streamId: string | undefined;
  /** Name of the configured account, for actions without a channel. */
  readonly account?: string | undefined;
  readonly who: string;
  readonly reason: string;
  readonly dryRun: boolean;
  /** The same key again means the same request. */
  readonly idempotencyKey: string | undefined;
}

/** The same action for many channels. */
export interface BulkActionRequest extends Omit<ActionRequest, 'channelArn' | 'streamId'> {
  readonly targets: z.infer<typeof targets>;
  /** Nothing is done if more channels than this match. */
  readonly maxChannels: number;
}

/** Takes an action for one channel or none; implemented by operator-actions.ts. */
export interface OperatorActionsPort {
  /** @throws AppError NOT_FOUND, ACTION_NEEDS_CHANNEL, CHANNEL_UNKNOWN, REQUEST_INVALID */
  submit(request: ActionRequest): Promise<{ readonly jobId: string }>;
}

export interface AcceptedBulk {
  readonly bulkId: string;
  readonly channels: number;
  readonly dryRun?: true;
  /** For ad breaks: when each begins, in their order. */
  readonly plan?: z.infer<typeof plannedAdBreak>[];
}

/** Takes actions for many channels; implemented by bulk-actions.ts. */
export interface BulkActionsPort {
  /** @throws AppError NOT_FOUND, CHANNEL_UNKNOWN, REQUEST_INVALID, TOO_MANY_BULK_ACTIONS */
  submit(request: BulkActionRequest): Promise<AcceptedBulk>;
  /** Running ones and those of the last week, the newest first. */
  list(): Promise<readonly BulkView[]>;
  /** Stops it: no further channels are started. @throws AppError NOT_FOUND */
  stop(bulkId: string, who: string): Promise<BulkView>;
}

/** An action that cannot be undone needs the role admin. */
const adminActions: ReadonlySet<ActionName> = new Set(['retire_channel', 'retire_recording_configuration']);
const tags = ['Actions'];
const bulkParams = z.strictObject({ id: z.string().min(1).max(64).describe('The bulkId') });

export function actionRoutes({
  actions,
  bulks,
}: {
  readonly actions: OperatorActionsPort;
  readonly bulks: BulkActionsPort;
}): FastifyPluginAsyncZod {
  const bulkOf = async (id: string): Promise<BulkView> => {
    const found = (await bulks.list()).find(({ bulkId }) => bulkId === id);
    if (!found) throw notFound('bulk', `there is no bulk action ${id}`);
    return found;
  };
  return async (app) => {
    app.post(
      '/actions',
      {
        schema: {
          operationId: 'requestAction',
          summary: 'Request an action: rotate a key, set a recording, stop a stream, …',
          tags,
          headers: z.object({
            'idempotency-key': z
              .string()
              .min(1)
              .max(128)
              .optional()
              .describe('The same key returns the same job; for single channels'),
          }),
          querystring: z.strictObject({
            account: z
              .string()
              .optional()
              .describe('Name of the account; needed with several accounts for an action without a channel'),
          }),
          body: actionBody,
          response: {
            202: z.union([
              z.object({ jobId: z.string(), dryRun }),
              z.object({
                bulkId: z.string(),
                channels: z.number().int(),
                dryRun,
                plan: z
                  .array(plannedAdBreak)
                  .optional()
                  .describe('For insert_ad_break: when each channel’s break begins'),
              }),
            ]),
          },
        },
      },
      async (request, reply) => {
        const { body } = request;
        const [action, params] = chosen(body.action);
        assertRole(request.caller, action);
        const common = {
          action,
          params,
          who: actorOf(request.caller),
          reason: body.reason,
          dryRun: body.dryRun ?? false,
          idempotencyKey: request.headers['idempotency-key'],
        };
        reply.code(202);
        if (body.targets === undefined) {
          const { channelArn: about, streamId } = body;
          const { account } = request.query;
          const { jobId } = await actions.submit({ ...common, channelArn: about, streamId, account });
          return { jobId, ...(common.dryRun ? { dryRun: true as const } : {}) };
        }
        if (body.channelArn !== undefined || body.streamId !== undefined)
          throw new AppError('REQUEST_INVALID', 'body.targets: cannot be used with channelArn or streamId');
        return bulks.submit({ ...common, targets: body.targets, maxChannels: body.maxChannels });
      },
    );
    app.get(
      '/actions/bulk',
      {
        schema: {
          operationId: 'listBulkActions',
          summary: 'List bulk actions: running ones and those of the last week',
          tags,
          querystring: z.strictObject({}),
          response: { 200: z.object({ bulks: z.array(bulk) }) },
        },
      },
      async () => ({ bulks: [...(await bulks.list())] }),
    );
    app.get(
      '/actions/bulk/:id',
      {
        schema: {
          operationId: 'getBulkAction',
          summary: 'Show the progress of a bulk action',
          tags,
          params: bulkParams,
          response: { 200: bulk },
        },
      },
      async ({ params }) => bulkOf(params.id),
    );
    app.delete(
      '/actions/bulk/:id',
      {
        schema: {
          operationId: 'stopBulkAction',
          summary: 'Stop a bulk action: start no further channels',
          tags,
          params: bulkParams,
          response: { 200: bulk },
        },
      },
      async ({ params, caller }) => bulks.stop(params.id, actorOf(caller)),
    );
  };
}

function chosen(action: z.infer<typeof oneAction>): [ActionName, ActionParams] {
  const [entry] = Object.entries(action).filter(([, params]) => params !== undefined);
  return entry as [ActionName, ActionParams];
}

function assertRole({ role }: Caller, action: ActionName): void {
  if (adminActions.has(action) && !mayActAs(role, 'admin'))
    throw new AppError('FORBIDDEN', `${action} cannot be undone: it needs a token with the role admin`);
}
