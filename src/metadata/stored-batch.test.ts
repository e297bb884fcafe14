import { expect, test } from 'vitest';
import { contentsOf, type OutboxItem, storedBatch } from './stored-batch.ts';

const item = (text: string, key?: string): OutboxItem => ({
  id: 'i-1',
  text,
  mode: 'plain',
  key,
  acceptedAtMs: 0,
  expiresInMs: 1000,
});

test('a batch remembers its first items, up to four kilobytes', () => {
  const half = 'é'.repeat(1024);

  expect(contentsOf([item(half, 'score'), item(half), item('x'), item('')])).toEqual([
    { payload: half, key: 'score' },
    { payload: half },
  ]);
});

test('reads a stored batch with its full channels among those left out', () => {
  const skipped = [{ reason: 'held', count: 1, examples: ['arn-1'] }];
  const fields = {
    who: 'ann',
    lane: 'urgent',
    channels: '3',
    itemCount: '2',
    total: '6',
    pending: '4',
    delivered: '1',
    failed: '1',
    'reason:IVS_NOT_FOUND': '1',
    contents: '[{"payload":"hi"}]',
    skipped: JSON.stringify(skipped),
    full: '2',
    fullExamples: 'arn-2 arn-3',
    startedAt: '1000',
    callsPerChannel: '1',
    channelsBefore: '7',
    job: '{"jobId":"j-1","rule":"polls"}',
  };

  expect(storedBatch('b-1', fields)).toEqual({
    batchId: 'b-1',
    who: 'ann',
    state: 'running',
    lane: 'urgent',
    channels: 3,
    items: 2,
    total: 6,
    counts: { pending: 4, delivered: 1, conflated: 0, expired: 0, notBroadcasting: 0, failed: 1, cancelled: 0 },
    failures: { IVS_NOT_FOUND: 1 },
    contents: [{ payload: 'hi' }],
    skipped: [...skipped, { reason: 'queue_full', count: 2, examples: ['arn-2', 'arn-3'] }],
    startedAtMs: 1000,
    finishedAtMs: undefined,
    callsPerChannel: 1,
    channelsBefore: 7,
    job: { jobId: 'j-1', rule: 'polls' },
  });
});

test.each([
  [{}, 'running', undefined],
  [{ cancelledAt: '2000' }, 'cancelling', undefined],
  [{ finishedAt: '3000' }, 'finished', 3000],
  [{ cancelledAt: '2000', finishedAt: '3000' }, 'cancelled', 3000],
])('the state of a batch with %j is %s', (fields, state, finishedAtMs) => {
  expect(storedBatch('b-1', fields)).toMatchObject({ state, finishedAtMs });
});

test.each(['', '{', 'null', '7', '"text"', '{"a":1}'])(
  'leaves out what cannot be read of a stored batch (%j)',
  (text) => {
    const fields = { total: 'x', contents: text, skipped: text, job: text, lane: 'fast' };

    expect(storedBatch('b-1', fields)).toMatchObject({
      total: 0,
      contents: [],
      skipped: [],
      job: undefined,
      lane: 'normal',
    });
  },
);

test('leaves out members of a fan-out that cannot be read', () => {
  const jobOf = (members: unknown) => storedBatch('b-1', { job: JSON.stringify({ jobId: 'j-1', members }) }).job;

  expect(jobOf([['arn-1', 0, 'd-1'], ['arn-2', '1', 'd-2'], null, [7, 2, 'd-3']])).toEqual({
    jobId: 'j-1',
    members: [['arn-1', 0, 'd-1']],
  });
  expect(jobOf({ length: 1 })).toEqual({ jobId: 'j-1' });
});
