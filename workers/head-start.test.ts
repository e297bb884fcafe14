// Which jobs run before they are in their queue, in which order, and what they know of each other.
import { expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import type { JobRequest } from '#domain/job.ts';
import { quietLogger } from '#test/support/quiet.ts';
import { HeadStarts } from './head-start.ts';
import type { RunResult } from './outcome.ts';

const job = (jobId: string, name = 'put_metadata'): JobRequest => ({ jobId, name, payload: {} });
const all = () => true;
const accepted: RunResult = { outcome: 'done', reason: 'accepted', batchId: 'b' };

function setup(handle: (jobId: string) => Promise<RunResult> = async () => accepted) {
  /** What each run was told: its job, then the jobs that may still be in the queue. */
  const runs: string[] = [];
  const starts = new HeadStarts({
    queue: 'metadata-fanout',
    prefix: 'p',
    isMeant: ({ name }) => name === 'put_metadata',
    logger: quietLogger(),
    handlers: {
      put_metadata: (_payload, { jobId, headStart }) => {
        expect(headStart).toMatchObject({ queue: 'p:metadata-fanout', jobId });
        runs.push([jobId, ...headStart!.accepted.keys()].join(' '));
        return handle(jobId);
      },
    },
  });
  return { starts, runs };
}

test('what this process has just committed runs in its order; each run knows what was accepted before it', async () => {
  const { starts, runs } = setup();

  const first = starts.begin([job('a'), job('n', 'notify'), job('b')], all);
  const second = starts.begin([job('a'), job('n', 'notify'), job('b'), job('c')], (jobId) => jobId === 'c');
  await second.ended;

  expect([first.jobIds, second.jobIds]).toEqual([['a', 'b'], ['c']]);
  expect(runs).toEqual(['a', 'b a', 'c a b']);
});

test('nothing runs while an older job is on its way that another process committed, wherever it is listed', async () => {
  const { starts, runs } = setup();

  await starts.begin([job('other'), job('a')], (jobId) => jobId === 'a').ended;
  await starts.begin([job('b'), job('other')], (jobId) => jobId === 'b').ended;
  await starts.begin([job('c')], all).ended;

  expect(runs).toEqual(['c']);
});

test.each<[string, () => Promise<RunResult>]>([
  ['throws', () => Promise.reject(new AppError('REDIS_UNREACHABLE', 'Redis is away'))],
  [
    'throws at once',
    () => {
      throw new TypeError('not even a promise');
    },
  ],
  ['finds a hold', async () => ({ outcome: 'skipped', reason: 'held' })],
  ['leaves one channel out', async () => ({ ...accepted, others: { 3: { outcome: 'skipped', reason: 'held' } } })],
])('if a run %s, its job is left to the queue, and nothing younger overtakes it', async (_how, end) => {
  const { starts, runs } = setup((jobId) => (jobId === 'a' ? end() : Promise.resolve(accepted)));

  await starts.begin([job('a'), job('b')], all).ended;
  await starts.begin([job('a'), job('b'), job('c')], (jobId) => jobId === 'c').ended;
  // By then, both are in the queue.
  await starts.begin([job('d')], all).ended;

  expect(runs).toEqual(['a', 'd']);
});

test('a run waits for the run before it', async () => {
  const gate = Promise.withResolvers<RunResult>();
  const { starts, runs } = setup((jobId) => (jobId === 'a' ? gate.promise : Promise.resolve(accepted)));

  const { ended } = starts.begin([job('a'), job('b')], all);
  await new Promise((done) => setImmediate(done));
  const before = [...runs];
  gate.resolve(accepted);
  await ended;

  expect(before).toEqual(['a']);
  expect(runs).toEqual(['a', 'b a']);
});

test('a job that came out of the queue is forgotten when the next one does; the newest hundred others are remembered', async () => {
  const { starts, runs } = setup();
  for (let index = 0; index < 110; index += 1) await starts.begin([job(`j${index}`)], all).ended;

  const taken = ['j108', 'j109', 'other', 'j0'].map((jobId) => starts.taken(jobId));
  await starts.begin([job('last')], all).ended;

  expect(taken).toEqual(['b', 'b', undefined, undefined]);
  const [, ...known] = runs.at(-1)!.split(' ');
  expect([known.length, known[0], known.at(-1)]).toEqual([98, 'j10', 'j107']);
});

test('with very many jobs on their way, none begins early', async () => {
  const { starts, runs } = setup();

  const { jobIds, ended } = starts.begin(
    Array.from({ length: 101 }, (_, index) => job(`j${index}`)),
    (jobId) => jobId === 'j100',
  );
  await ended;

  expect([jobIds, runs]).toEqual([[], []]);
});
