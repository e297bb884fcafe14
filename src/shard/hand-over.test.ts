// What follows from a commit: which of its jobs begin early, and what the relay is told.
import { expect, test } from 'vitest';
import type { JobRequest } from '#domain/job.ts';
import { fanoutJobName } from '#domain/metadata-fanout.ts';
import { kinds } from '#domain/state-registry.ts';
import { MemoryState } from '#store/memory-state.ts';
import { handOver } from './hand-over.ts';

const fanoutId = `${fanoutJobName}-${'0123456789abcdef'.repeat(2).slice(0, 24)}`;

async function setup(...jobs: readonly JobRequest[]) {
  const state = new MemoryState({ now: () => 0 });
  await state.transact((tx) => {
    for (const job of jobs) tx.set(kinds.job.of(job.jobId), job);
  });
  const told: unknown[] = [];
  const ended = Promise.resolve();
  const parts = {
    view: state.view,
    headStarts: {
      begin: (pending: readonly JobRequest[], isOwn: (jobId: string) => boolean) => {
        const jobIds = pending.map(({ jobId }) => jobId);
        told.push(['begin', jobIds, jobIds.filter(isOwn)]);
        return { jobIds: jobIds.filter(isOwn), ended };
      },
    },
    relay: {
      nudge: () => told.push('nudge'),
      holdBack: (jobIds: readonly string[], until: Promise<void>) => told.push(['hold back', jobIds, until === ended]),
    },
  };
  return { parts, told };
}

const decided = (...jobs: readonly (readonly [jobId: string, action: string])[]) =>
  ({ decisions: jobs.map(([jobId, action]) => ({ jobs: [{ jobId, action }] })) }) as never;
const job = (jobId: string, name = 'put_metadata'): JobRequest => ({ jobId, name, payload: {} });

test('the jobs of metadata that the commit decided begin, and are held back: of parts, their fan-out', async () => {
  const { parts, told } = await setup(job('other'), job(fanoutId, fanoutJobName), job('n', 'notify'), job('single'));

  const members = [
    [`${fanoutId}-0`, 'put_metadata'],
    [`${fanoutId}-1`, 'put_metadata'],
  ] as const;
  handOver(decided(...members, ['n', 'notify'], ['single', 'put_metadata']), parts);

  expect(told).toEqual([
    ['begin', ['other', fanoutId, 'n', 'single'], [fanoutId, 'single']],
    ['hold back', [fanoutId, 'single'], true],
    'nudge',
  ]);
});

test('a commit without metadata only nudges the relay, as does a replica that does not work on metadata', async () => {
  const { parts, told } = await setup(job('n', 'notify'), job('m'));

  handOver(decided(['n', 'notify']), parts);
  handOver(decided(['m', 'put_metadata']), { ...parts, headStarts: undefined });

  expect(told).toEqual(['nudge', 'nudge']);
});
