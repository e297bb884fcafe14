// What the API tells of an action that waits for a person's yes; the page takes its type from here.
import { z } from 'zod';
import { actionNames } from '#domain/action.ts';
import { approvalStates } from '#domain/approval.ts';
import { approverRoles } from '#domain/approval-terms.ts';

const time = z.iso.datetime();
const values = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
export const verdict = z.enum(['approve', 'reject']);

export const approval = z.object({
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
