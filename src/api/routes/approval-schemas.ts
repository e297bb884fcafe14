// How the API describes an action that waits for approval; the page imports its type from here.
import { z } from 'zod';
import { actionNames } from '#domain/action.ts';
import { approvalStates } from '#domain/approval.ts';
import { approverRoles } from '#domain/approval-terms.ts';

const time = z.iso.datetime();
const values = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
export const verdict = z.enum(['approve', 'reject']);

export const approval = z.object({
  id: z.string(),
  state: z.enum(approvalStates).describe('cancelled: its cause is over, or the rule was changed'),
  rule: z.string(),
  list: z.enum(['actions', 'on_resolve']),
  step: z.number().int().describe('Its place in that list, from 0'),
  action: z.enum(actionNames),
  params: z.record(z.string(), z.unknown()).describe('With templates rendered: exactly this will be done'),
  deed: z.string().describe('What will happen to which channel, in one line'),
  why: z.string().describe('What triggered the rule'),
  channelArn: z.string().optional(),
  channelName: z.string().optional(),
  streamId: z.string().optional().describe('The stream session it was requested for; no other session is touched'),
  decisionId: z.string().describe('The decision that requested it'),
  askedAt: time,
  until: time.describe('When its time runs out; it then does not run'),
  endedAt: time.nullable(),
  by: z.enum(approverRoles).describe('The lowest role that may answer'),
  count: z.number().int().describe('How many different people must approve'),
  missing: z.number().int().describe('How many approvals are missing'),
  notByAuthor: z.boolean(),
  author: z.string().optional().describe('The person who caused it, if there is one'),
  onTimeout: z.literal('cancel'),
  shown: values.describe('The values that the message showed'),
  now: values.optional().describe('The current values, while it waits'),
  answers: z.array(
    z.object({ verdict, who: z.string(), from: z.string(), reason: z.string(), at: time, shown: values }),
  ),
  note: z.string().optional().describe('How it ended'),
  jobId: z.string().optional().describe('The job, if it was approved'),
  link: z.string().describe('Its address on the page'),
});
export type ApprovalView = z.infer<typeof approval>;
