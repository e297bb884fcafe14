// `/v1/approvals`: actions that wait for a person's yes. Reading one changes nothing, whoever opens its link: an answer is a POST, and
// who gives it says the token, never the request.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { actionNames } from '#domain/action.ts';
import { approvalStates } from '#domain/approval.ts';
import { type ApproverRole, approverRoles } from '#domain/approval-terms.ts';
import { mayActAs, provenNameOf } from '../auth.ts';

const time = z.iso.datetime();
const values = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const verdict = z.enum(['approve', 'reject']);

const approval = z.object({
  id: z.string(),
  state: z.enum(approvalStates).describe('cancelled: what it was asked for is over, or the rule is another'),
  rule: z.string(),
  list: z.enum(['actions', 'on_resolve']),
  step: z.number().int().describe('Its place in that list, from 0'),
  action: z.enum(actionNames),
  params: z.record(z.string(), z.unknown()).describe('Templates filled in: what is approved is what is done'),
  deed: z.string().describe('What will happen, and to whom, in a line'),
  why: z.string().describe('What set the rule off'),
  channelArn: z.string().optional(),
  channelName: z.string().optional(),
  streamId: z.string().optional().describe('The session that it was asked for in; no other one is touched'),
  decisionId: z.string().describe('The decision that asked'),
  askedAt: time,
  until: time.describe('Then its time has run out, and it is not done'),
  endedAt: time.nullable(),
  by: z.enum(approverRoles).describe('The least role that may answer'),
  count: z.number().int().describe('So many different people must say yes'),
  missing: z.number().int().describe('So many of them are missing'),
  notByAuthor: z.boolean(),
  author: z.string().optional().describe('Who caused it, where somebody did'),
  onTimeout: z.literal('cancel'),
  shown: values.describe('What was shown when it was asked'),
  now: values.optional().describe('The same as it is now, while it waits'),
  answers: z.array(
    z.object({ verdict, who: z.string(), from: z.string(), reason: z.string(), at: time, shown: values }),
  ),
  note: z.string().optional().describe('How it ended'),
  jobId: z.string().optional().describe('Of an approved one'),
  link: z.string().describe('Where the page shows it'),
});
export type ApprovalView = z.infer<typeof approval>;

/** An answer, by somebody who is proven. */
export interface Said {
  readonly kind: z.infer<typeof verdict>;
  readonly who: string;
  readonly role: ApproverRole;
  readonly from: string;
  readonly reason: string;
}

export interface ApprovalsPort {
  /** Those that wait, the first to run out first, then those of the last day. `mayOperate`: with the ids of viewers. */
  list(mayOperate: boolean): Promise<readonly ApprovalView[]>;
  /** @throws AppError NOT_FOUND */
  find(id: string, mayOperate: boolean): Promise<ApprovalView>;
  /** @throws AppError NOT_FOUND, APPROVAL_OVER, APPROVAL_NOT_ALLOWED, APPROVAL_HELD_BACK */
  answer(id: string, said: Said): Promise<ApprovalView>;
}

const tags = ['Approvals'];
const params = z.strictObject({ id: z.string().min(1).max(100) });

export function approvalRoutes({ approvals }: { readonly approvals: ApprovalsPort }): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/approvals',
      {
        schema: {
          operationId: 'listApprovals',
          summary: 'Actions that wait for a person’s yes, and those of the last day that were answered or are over',
          tags,
          querystring: z.strictObject({
            state: z.enum(approvalStates).optional(),
            rule: z.string().max(63).optional(),
          }),
          response: { 200: z.object({ approvals: z.array(approval) }) },
        },
      },
      async ({ query, caller }) => ({
        approvals: (await approvals.list(mayActAs(caller.role, 'operator'))).filter(
          (each) =>
            (query.state === undefined || each.state === query.state) &&
            (query.rule === undefined || each.rule === query.rule),
        ),
      }),
    );
    app.get(
      '/approvals/:id',
      {
        schema: {
          operationId: 'getApproval',
          summary: 'One action that waits for a yes, with the values as they are now; reading it changes nothing',
          tags,
          params,
          response: { 200: approval },
        },
      },
      async ({ params: { id }, caller }) => approvals.find(id, mayActAs(caller.role, 'operator')),
    );
    app.post(
      '/approvals/:id',
      {
        schema: {
          operationId: 'answerApproval',
          summary: 'Say yes or no; on a yes everything is looked at again before the action is asked for',
          tags,
          params,
          body: z.strictObject({
            decision: verdict,
            reason: z.string().max(500).optional().describe('Why, for the audit'),
          }),
          response: { 200: approval },
        },
      },
      async ({ params: { id }, body, caller, clientAddress }) =>
        approvals.answer(id, {
          kind: body.decision,
          who: provenNameOf(caller),
          role: caller.role === 'admin' ? 'admin' : 'operator',
          from: clientAddress,
          reason: body.reason ?? '',
        }),
    );
  };
}
