// What jobs, decisions and the audit all show: values that were compared, and the results of metadata.
import { z } from 'zod';

const time = z.iso.datetime();

export const check = z.object({
  check: z
    .string()
    .describe('A guard, or a worker’s check right before it acted: pause, hold, session, only_if, live, …'),
  verdict: z.enum(['passed', 'failed']),
  asked: z.record(z.string(), z.unknown()),
  found: z.record(z.string(), z.unknown()),
  at: time,
});
export type CheckView = z.infer<typeof check>;

const pairs = z.number().int();
export const delivery = z
  .object({
    batchId: z.string(),
    pending: pairs,
    delivered: pairs,
    conflated: pairs.describe('Replaced by a newer item with the same key'),
    expired: pairs,
    notBroadcasting: pairs,
    failed: pairs,
    cancelled: pairs,
    reason: z.string().optional().describe('Why items did not arrive: codes and words'),
    finishedAt: z.iso.datetime().optional(),
  })
  .describe('The results of the items of a put_metadata, as (item, channel) pairs');
