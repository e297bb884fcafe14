// What a report says about a session, from what was observed, decided and done.
import { expect, test } from 'vitest';
import type { Decision } from '#domain/decision.ts';
import { kinds, logs } from '#domain/state-registry.ts';
import { audit } from '#journal/audit.ts';
import { recordDecisions, recordJobResult } from '#journal/record.ts';
import { arnOf, event, Noticing, poll, snapshot, startMs, streamIdFor } from '#test/support/streams.ts';
import { writeReport } from './formats.ts';
import { gatherReport } from './gather.ts';
import { sessionReport } from './session-report.ts';
import { reportSummary } from './summary.ts';

const minute = 60_000;
const iso = (minutes: number) => new Date(startMs + minutes * minute).toISOString();
const channelArn = arnOf('A');

function decision(noticing: Noticing, more: Partial<Decision>): Decision {
  return {
    id: `d-${more.rule}`,
    rule: 'slate',
    mode: 'enforce',
    outcome: 'acted',
    reason: 'fired',
    atMs: noticing.nowMs,
    channelArn,
    group: channelArn,
    cause: 'x',
    trigger: { kind: 'state', sinceMs: noticing.nowMs, text: '', values: {} },
    guards: [],
    jobs: [],
    withheld: [],
    ...more,
  };
}

/** Half an hour of channel A: starving from the 5th to the 7th minute, unobserved from the 10th to the 20th. */
async function setup() {
  const noticing = new Noticing();
  const { state } = noticing;
  const inState = state.transact.bind(state);
  const session = { channel: 'A', stream: 'one' };
  await noticing.see(event('Stream Start', { ...session, at: 0 }));
  for (let at = 0; at < 30; at += 1) {
    if (at > 10 && at < 20) continue;
    const health = at >= 5 && at < 7 ? 'STARVING' : 'HEALTHY';
    await noticing.see(
      poll('all', { at: at * minute, took: 0, streams: [snapshot('A', 'one', { health, viewers: at * 10 })] }),
    );
    if (at === 5) {
      await inState((tx) =>
        recordDecisions(tx, [
          decision(noticing, {
            rule: 'slate',
            jobs: [{ jobId: 'j1', action: 'put_metadata' }],
            withheld: [{ action: 'stop_stream', reason: 'silenced', values: {} }],
          }),
          decision(noticing, { rule: 'capped', outcome: 'suppressed', reason: 'max_per_hour' }),
          decision(noticing, {
            rule: 'patient',
            outcome: 'suppressed',
            reason: 'inhibited',
            withheld: [{ action: 'notify', reason: 'inhibited', values: {} }],
          }),
          decision(noticing, {
            rule: 'timid',
            outcome: 'would_act',
            mode: 'dry_run',
            jobs: [{ jobId: 'j2', action: 'notify' }],
          }),
          decision(noticing, { rule: 'other', channelArn: arnOf('B'), jobs: [{ jobId: 'j3', action: 'notify' }] }),
          decision(noticing, { rule: 'stranger', streamId: 'st-other', jobs: [{ jobId: 'j4', action: 'notify' }] }),
        ]),
      );
      await inState((tx) => {
        const delivery = {
          batchId: 'b',
          pending: 0,
          delivered: 2,
          conflated: 1,
          expired: 1,
          notBroadcasting: 0,
          failed: 0,
          cancelled: 0,
        };
        recordJobResult(tx, {
          jobId: 'j1',
          decisionId: 'd-slate',
          atMs: noticing.nowMs,
          outcome: 'done',
          detail: '2 delivered',
          delivery,
        });
        for (const outcome of ['requested', 'done'])
          audit(tx, { who: 'token mara', what: 'tag', outcome, why: 'finals', channelArn, jobId: 'j9' });
        audit(tx, {
          who: 'rule slate',
          what: 'put_metadata',
          outcome: 'done',
          why: 'd-slate',
          channelArn,
          jobId: 'j1',
        });
        tx.append(logs.captures, { channelArn, streamId: streamIdFor('one'), hints: ['too many bits'] } as never, 10);
      });
    }
  }
  await noticing.see(
    event('Ingest Bitrate', {
      ...session,
      at: 8 * minute,
      arrived: 29 * minute,
      detail: { limit_value: 8_500_000, exceeded_by: 5, limit_unit: 'bps' },
    }),
    event('Stream End', { ...session, at: 30 * minute }),
  );
  return { noticing, state };
}

test('reports a session from its start to its end', async () => {
  const { state } = await setup();
  const { title, sessions } = await gatherReport(state, { channelArn });

  expect(title).toBe('A');
  expect(sessions).toHaveLength(1);
  expect(sessions[0]).toMatchObject({
    channelName: 'A',
    streamId: streamIdFor('one'),
    state: 'ended',
    startedAt: iso(0),
    endedAt: iso(30),
    durationSeconds: 1_800,
    endReason: 'Stream End',
    // 19 minutes of samples, each valid for a minute except the tenth, which counts for two and a half.
    health: {
      healthySeconds: (5 + 4 + 10) * 60 - 60 + 60 + 90 - 60 + 60,
      starvingSeconds: 120,
      unknownSeconds: 0,
      starving: [{ from: iso(5), to: iso(7) }],
    },
    viewers: { peak: { viewers: 290, at: iso(29) } },
    limitBreaches: [
      { at: iso(8), limitName: 'Ingest Bitrate', limitValue: 8_500_000, exceededBy: 5, limitUnit: 'bps' },
    ],
    hints: ['too many bits'],
    recording: { state: 'none' },
  });
  const { healthySeconds, starvingSeconds, unknownSeconds, unseenSeconds } = sessions[0]!.health;
  expect(healthySeconds + starvingSeconds + unknownSeconds + unseenSeconds).toBe(1_800);
  expect(sessions[0]!.samples.map(({ at }) => at)).not.toContain(iso(15));
  expect(sessions[0]!.timeline.find(({ name }) => name === 'Ingest Bitrate')?.text).toBe(
    'over the limit of 8500000 bps by 5',
  );
  expect(sessions[0]!.timeline.map(({ name }) => name)).toEqual(expect.arrayContaining(['Stream Start', 'Stream End']));
});

test('separates what was done, what was held back and what people requested, and omits other sessions', async () => {
  const { state } = await setup();
  const [session] = (await gatherReport(state, { channelArn })).sessions;

  expect(session!.actions).toMatchObject([
    { rule: 'slate', action: 'put_metadata', jobId: 'j1', outcome: 'done', detail: '2 delivered' },
  ]);
  expect(session!.withheld.map(({ rule, action, reason }) => [rule, action, reason])).toEqual([
    ['slate', 'stop_stream', 'silenced'],
    ['capped', undefined, 'max_per_hour'],
    ['patient', 'notify', 'inhibited'],
    ['timid', 'notify', 'dry_run'],
  ]);
  expect(session!.operators).toMatchObject([{ who: 'token mara', what: 'tag', outcome: 'done', why: 'finals' }]);
  expect(session!.cues).toEqual({ jobs: 1, delivered: 2, expired: 1, failed: 0, notSent: 1 });
});

test('reports a live session so far, an earlier one by its id, and does not find an unknown one', async () => {
  const { noticing, state } = await setup();
  await noticing.see(
    poll('all', { at: 40 * minute, took: 0, streams: [snapshot('A', 'two', { viewers: 3, started: 39 * minute })] }),
  );

  expect((await gatherReport(state, { channelArn })).sessions[0]).toMatchObject({
    streamId: streamIdFor('two'),
    state: 'live',
    durationSeconds: 60,
  });
  const earlier = await gatherReport(state, { channelArn, streamId: streamIdFor('one') });
  expect(earlier.sessions[0]).toMatchObject({ streamId: streamIdFor('one'), durationSeconds: 1_800 });
  await expect(gatherReport(state, { channelArn, streamId: 'st-none' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('takes the times of starving from events if there are any, and gives an ongoing one no end', async () => {
  const noticing = new Noticing();
  const session = { channel: 'A', stream: 'one' };
  const see = (at: number, health: 'STARVING' | 'HEALTHY') =>
    noticing.see(poll('all', { at: at * minute, took: 0, streams: [snapshot('A', 'one', { health })] }));
  await noticing.see(event('Stream Start', { ...session, at: 0 }));
  await see(0, 'HEALTHY');
  // A poll notices it first; the event is late.
  await see(2, 'STARVING');
  await noticing.see(event('Starvation Start', { ...session, at: 1.5 * minute, arrived: 2.1 * minute }));
  await see(3, 'STARVING');
  await noticing.see(event('Starvation End', { ...session, at: 3.5 * minute, arrived: 3.6 * minute }));
  await see(4, 'HEALTHY');
  await see(5, 'STARVING');
  await see(6, 'STARVING');

  const [report] = (await gatherReport(noticing.state, { channelArn })).sessions;
  expect(report!.health.starving).toEqual([
    { from: iso(1.5), to: iso(3.5) },
    { from: expect.any(String), ongoing: true },
  ]);
  expect(writeReport({ version: 1, title: 'A', madeAt: iso(6), sessions: [report!] }, 'md').text).toContain(
    'still starving',
  );
});

test('reports a show as every channel with its tag, each with its newest session', async () => {
  const { noticing, state } = await setup();
  await noticing.see(
    poll('all', { at: 31 * minute, took: 0, streams: [snapshot('B', 'b', { viewers: 9, started: 31 * minute })] }),
  );
  await state.transact((tx) => {
    for (const id of ['A', 'B', 'C'])
      tx.set(kinds.channel.of(arnOf(id)), {
        arn: arnOf(id),
        name: `studio ${id}`,
        type: 'STANDARD',
        latencyMode: 'LOW',
        recordingConfigurationArn: '',
        tags: id === 'C' ? {} : { show: 'finals' },
      });
  });

  const found = await gatherReport(state, { tag: { key: 'show', value: 'finals' } });
  expect(found.title).toBe('show=finals');
  expect(found.sessions.map(({ channelName, actions }) => [channelName, actions.length])).toEqual([
    ['studio A', 1],
    ['studio B', 0],
  ]);
  expect((await gatherReport(state, { tag: { key: 'show', value: 'none' } })).sessions).toEqual([]);
});

test('names a list that reached its limit, because there may have been more', async () => {
  const { noticing } = await setup();
  const record = noticing.record('A')!;
  const of = (rows: number, breaches: number) =>
    sessionReport({
      record: { ...record, limitBreaches: Array.from({ length: breaches }, () => record.limitBreaches[0]!) },
      channelName: 'A',
      samples: [],
      decisions: Array.from({ length: rows }, (_, index) => ({
        ...decision(noticing, { rule: 'slate', jobs: [{ jobId: `j${index}`, action: 'notify' }] }),
        count: 1,
      })),
      audit: [],
      hints: undefined,
      incomplete: false,
      nowMs: noticing.nowMs,
    });
  expect(of(499, 9).full).toBeUndefined();
  const session = of(501, 10);
  expect(session.full).toEqual(['limitBreaches', 'actions']);
  const report = { version: 1, title: 'A', madeAt: iso(31), sessions: [session] } as const;
  expect(reportSummary(report)).toContain('at least 500 actions taken, 0 withheld');
  for (const format of ['md', 'html'] as const)
    expect(writeReport(report, format).text.match(/There may have been more/g)).toHaveLength(2);
});

test('ignores samples after the end of a session', async () => {
  const noticing = new Noticing();
  const session = { channel: 'A', stream: 'one' };
  const seen = (at: number, health: 'HEALTHY' | 'STARVING', viewers: number) =>
    noticing.see(poll('all', { at, took: 0, streams: [snapshot('A', 'one', { health, viewers })] }));
  await noticing.see(event('Stream Start', { ...session, at: 0 }));
  await seen(minute, 'HEALTHY', 5);
  await seen(3 * minute, 'STARVING', 9);
  await noticing.see(event('Stream End', { ...session, at: 2 * minute, arrived: 3 * minute + 1_000 }));

  const [told] = (await gatherReport(noticing.state, { channelArn })).sessions;
  expect(told).toMatchObject({ endedAt: iso(2), viewers: { peak: { viewers: 5 } }, health: { starving: [] } });
});
