// `/v1/approvals`: actions that wait for a person's approval. Reading one changes nothing, whoever opens its link: an answer is a POST, and
// the token says who gives it, never the request.
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { approvalStates } from '#domain/approval.ts';
import type { ApproverRole } from '#domain/approval-terms.ts';
import { mayActAs, provenNameOf } from '../auth.ts';
import { type Unasked, unaskedField } from '../reach.ts';
import { type ApprovalView, approval, verdict } from './approval-schemas.ts';

/** An answer by a caller whose identity is proven. */
export interface Said {
  readonly kind: z.infer<typeof verdict>;
  readonly who: string;
  readonly role: ApproverRole;
  readonly from: string;
  readonly reason: string;
}

export interface Listed {
  readonly approvals: readonly ApprovalView[];
  readonly unasked?: Unasked[];
}

export interface ApprovalsPort {
  /** Waiting approvals, those that expire soonest first, then those of the last day. `mayOperate`: include the ids of viewers. */
  list(mayOperate: boolean): Promise<Listed>;
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
          summary: 'List actions that wait for approval, and those of the last day that were answered or have ended',
          tags,
          querystring: z.strictObject({
            state: z.enum(approvalStates).optional(),
            rule: z.string().max(63).optional(),
          }),
          response: { 200: z.object({ approvals: z.array(approval), unasked: unaskedField }) },
        },
      },
      async ({ query, caller }) => {
        const listed = await approvals.list(mayActAs(caller.role, 'operator'));
        return {
          ...listed,
          approvals: listed.approvals.filter(
            (each) =>
              (query.state === undefined || each.state === query.state) &&
              (query.rule === undefined || each.rule === query.rule),
          ),
        };
      },
    );
    app.get(
      '/approvals/:id',
      {
        schema: {
          operationId: 'getApproval',
          summary: 'Show one action that waits for approval, with the current values; reading it changes nothing',
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
          summary: 'Approve or reject; after an approval everything is checked again before the action runs',
          tags,
          params,
          body: z.strictObject({
            decision: verdict,
            reason: z.string().max(500).optional().describe('With a reason for the audit'),
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
