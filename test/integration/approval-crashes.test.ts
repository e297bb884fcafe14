// kill -9 at every step of an approval, right before and right after its commit. If it is unknown whether a step was taken, it is taken
// again, on another replica. In the end the action is requested once, approved by both people, whatever died.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { kinds } from '#domain/state-registry.ts';
import { auditEntries } from '#journal/audit.ts';
import { approvalBench, approvalSteps, benchChannel, takeStep } from '#test/support/approval-bench.ts';
import type { ApprovalTask } from '#test/support/approval-child.ts';
import { redisScope } from '#test/support/redis.ts';

const childProgram = join(import.meta.dirname, '..', 'support', 'approval-child.ts');

async function killedAt(task: ApprovalTask): Promise<void> {
  const child = spawn(process.execPath, [childProgram, JSON.stringify(task)], { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const [, signal] = await once(child, 'exit');
  expect(signal, errors).toBe('SIGKILL');
}

test('the action is requested once and approved by both people, whichever step dies before or after its commit', async () => {
  await using scope = await redisScope();
  await Promise.all(
    (['before', 'after'] as const).map(async (dies) => {
      const prefix = `${scope.namespace}:${dies}`;
      const redis = new Redis(scope.url);
      try {
        for (const step of approvalSteps) {
          await killedAt({ redisUrl: scope.url, prefix, step, dies });
          const replica = approvalBench(redis, prefix);
          await replica.state.refresh();
          await takeStep(replica, step);
        }
        const { state } = approvalBench(redis, prefix);
        await state.refresh();
        const jobs = Array.from(state.view.entries(kinds.job), ([, { name, payload }]) => ({ name, payload }));
        expect(jobs.map(({ name }) => name).toSorted()).toEqual(['notify', 'stop_stream']);
        expect(jobs.find(({ name }) => name === 'stop_stream')?.payload).toMatchObject({
          channelArn: benchChannel,
          streamId: 'st-1',
        });
        const approvals = Array.from(state.view.entries(kinds.approval), ([, approval]) => approval);
        expect(approvals).toMatchObject([{ state: 'approved', answers: [{ who: 'token ann' }, { who: 'token bob' }] }]);
        const audited: string[] = [];
        for await (const { who, outcome } of auditEntries(state, { what: 'approve' }))
          audited.push(`${who} ${outcome}`);
        expect(audited).toEqual(['token bob done', 'token ann done']);
      } finally {
        redis.disconnect();
      }
    }),
  );
});
