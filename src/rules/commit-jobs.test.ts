// The jobs of one transaction: metadata for many channels is one job.
import { describe, expect, test } from 'vitest';
import type { ActionJob } from '#domain/action.ts';
import { fanoutJobName, type MetadataFanout, memberOfJobId } from '#domain/metadata-fanout.ts';
import { kinds } from '#domain/state-registry.ts';
import { CommitJobs } from '#rules/commit-jobs.ts';
import { decideAll } from '#rules/decide.ts';
import { arnOf, Engine, slateRules } from '#test/support/engine.ts';
import { foldStream } from '#test/support/stream-fold.ts';

const names = ['a', 'b', 'c'];

/** This many channels go live, and then starve in one transaction; returns what that committed. */
async function allStarve(more = '', actions?: string) {
  const engine = new Engine(slateRules(more, actions));
  for (const name of names) {
    await engine.channel(name, { show: `show ${name}` });
    await engine.goLive(name);
  }
  engine.nowMs += 1_000;
  const decisions = await engine.state.transact((tx) =>
    decideAll(
      tx,
      names.map((name) => foldStream(tx, arnOf(name), { health: 'STARVING' })),
      engine.ruleset,
    ),
  );
  const requests = Array.from(engine.state.view.entries(kinds.job), ([, request]) => request);
  return { engine, decisions, requests };
}

describe('metadata of one transaction', () => {
  test('is one job for all channels, and each decision names its part', async () => {
    const { decisions, requests } = await allStarve();

    expect(requests).toHaveLength(1);
    const [{ jobId, name, payload }] = requests as [(typeof requests)[number]];
    expect(name).toBe(fanoutJobName);
    const { members, params, rule } = payload as unknown as MetadataFanout;
    expect({ rule, params }).toEqual({ rule: 'slate', params: { payload: 'slate' } });
    expect(members.map(({ channelArn }) => channelArn)).toEqual(names.map(arnOf));
    // Equal content is stored once.
    expect(members.every((member) => member.payload === undefined)).toBe(true);
    for (const [index, decision] of decisions.entries()) {
      expect(decision).toMatchObject({ outcome: 'acted', channelArn: arnOf(names[index]!) });
      expect(members[index]!.decisionId).toBe(decision.id);
      expect(decision.jobs).toEqual([{ jobId: `${jobId}-${index}`, action: 'put_metadata' }]);
      expect(memberOfJobId(decision.jobs[0]!.jobId)).toEqual({ fanoutId: jobId, index });
    }
  });

  test('for a single channel is an ordinary job, with the key that the fan-out would have given its part', async () => {
    const { requests } = await allStarve();
    const { members } = requests[0]!.payload as unknown as MetadataFanout;
    const engine = new Engine(slateRules(''));
    await engine.channel('a', { show: 'show a' });
    await engine.goLive('a');
    await engine.health('a', 'STARVING');

    expect(engine.jobs).toMatchObject([{ name: 'put_metadata', payload: { channelArn: arnOf('a') } }]);
    // Both follow from the first session of channel a in its engine.
    expect(engine.jobs[0]!.jobId).toMatch(/^put-metadata-[0-9a-f]{24}$/);
    expect(members[0]!.key).toMatch(/^put-metadata-[0-9a-f]{24}$/);
  });

  test('keeps what a template makes different', async () => {
    const { requests } = await allStarve(
      '',
      '[{put_metadata: {payload: {show: "{{ channel.tags.show }}"}, key: slate}}]',
    );

    const { members, params } = requests[0]!.payload as unknown as MetadataFanout;
    expect(params).toEqual({ payload: { show: 'show a' }, key: 'slate' });
    expect(members.map(({ payload }) => payload)).toEqual([undefined, { show: 'show b' }, { show: 'show c' }]);
  });

  test('is separate for each step, and for steps that read IVS first or go to other channels', async () => {
    const { requests } = await allStarve(
      '',
      '[{put_metadata: {payload: one}}, {notify: {receiver: noc, text: x}}, {put_metadata: {payload: two}}, {put_metadata: {payload: three}, only_if: {live: [true]}}]',
    );

    const fanouts = requests.filter(({ name }) => name === fanoutJobName);
    expect(fanouts.map(({ payload }) => (payload as unknown as MetadataFanout).params.payload)).toEqual(['one', 'two']);
    const others = requests.filter(({ name }) => name !== fanoutJobName).map(({ name }) => name);
    expect(others).toEqual(names.flatMap(() => ['notify', 'put_metadata']));
  });

  test('never has a channel twice in one job', async () => {
    const jobs = new CommitJobs();
    const job = (decisionId: string): ActionJob<'put_metadata'> => ({
      action: 'put_metadata',
      params: { payload: 'breach' },
      channelArn: arnOf('a'),
      cause: { kind: 'rule', rule: 'breach', decisionId },
      decidedAtMs: 0,
    });
    const named = ['one', 'two'].map((cause) => jobs.fanOut('breach|actions|0', `put-metadata-${cause}`, job(cause)));
    const { state } = new Engine(slateRules(''));

    await state.transact((tx) => jobs.flush(tx));

    const requests = Array.from(state.view.entries(kinds.job), ([, request]) => request);
    expect(requests.map(({ name }) => name)).toEqual(['put_metadata', 'put_metadata']);
    expect(named.map(({ jobId }) => jobId)).toEqual(requests.map(({ jobId }) => jobId));
  });
});
