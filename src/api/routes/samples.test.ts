import { expect, test } from 'vitest';
import { askedRoutes } from '#test/support/asked-routes.ts';
import { arnOf, Noticing, poll, snapshot, streamIdFor } from '#test/support/streams.ts';
import { sampleRoutes } from './samples.ts';

const minute = 60_000;
const arn = encodeURIComponent(arnOf('A'));

async function setup() {
  const noticing = new Noticing();
  const { state } = noticing;
  for (let at = 0; at < 3 * minute; at += minute)
    await noticing.see(poll('all', { at, took: 0, streams: [snapshot('A', 'one', { viewers: at === 0 ? -1 : 40 })] }));
  return askedRoutes(sampleRoutes({ state, accounts: [{ name: 'main', state }] }));
}

test('returns the samples of a session page by page, the newest page first', async () => {
  const ask = await setup();
  const { status, body } = await ask('GET', `/streams/${arn}/samples?limit=2`);
  expect({ status, body }).toMatchObject({
    status: 200,
    body: {
      streamId: streamIdFor('one'),
      samples: [
        { at: '2026-11-20T10:01:00.000Z', health: 'HEALTHY', viewers: 40 },
        { at: '2026-11-20T10:02:00.000Z', health: 'HEALTHY', viewers: 40 },
      ],
    },
  });
  const older = await ask('GET', `/streams/${arn}/samples?limit=2&before=${body.next}&streamId=${streamIdFor('one')}`);
  expect(older.body.samples).toEqual([{ at: '2026-11-20T10:00:00.000Z', health: 'HEALTHY' }]);
  expect(older.body.next).toBeUndefined();
});

test('answers 404 for an unknown session or channel, and refuses an invalid page', async () => {
  const ask = await setup();
  expect(await ask('GET', `/streams/${arn}/samples?streamId=st-none`)).toMatchObject({
    status: 404,
    body: { code: 'NOT_FOUND' },
  });
  expect(await ask('GET', `/streams/${encodeURIComponent(arnOf('B'))}/samples`)).toMatchObject({ status: 404 });
  expect(await ask('GET', `/streams/${arn}/samples?before=x`)).toMatchObject({
    status: 400,
    body: { code: 'REQUEST_INVALID' },
  });
});

test('returns the figures of the fleet for each account', async () => {
  const ask = await setup();
  const { body } = await ask('GET', '/fleet/samples?since=90s');
  expect(body).toEqual({
    accounts: [
      {
        account: 'main',
        samples: [
          { at: '2026-11-20T10:01:00.000Z', live: 1, healthy: 1, starving: 0, unknown: 0, viewers: 40, uncounted: 0 },
          { at: '2026-11-20T10:02:00.000Z', live: 1, healthy: 1, starving: 0, unknown: 0, viewers: 40, uncounted: 0 },
        ],
      },
    ],
  });
});
