import { expect, test } from 'vitest';
import type { Decision } from '#domain/decision.ts';
import { recordDecisions } from '#journal/record.ts';
import { ShardDirectory } from '#shard/directory.ts';
import { MemoryState } from '#store/memory-state.ts';
import { askedRoutes } from '#test/support/asked-routes.ts';
import { arnOf, rulesetOf } from '#test/support/engine.ts';
import { ruleRoutes } from './rules.ts';

const nowMs = Date.parse('2026-11-20T10:00:00Z');
const hour = 3_600_000;
const rules = `rules:
  - {name: tries, trigger: {state: {health: [STARVING]}}, actions: [{put_metadata: {payload: slate}}]}
  - {name: acts, mode: enforce, trigger: {state: {health: [STARVING]}}, actions: [{put_metadata: {payload: slate}}]}
`;

function decision(id: string, agoMs: number, more: Partial<Decision>): Decision {
  const atMs = nowMs - agoMs;
  return {
    id,
    rule: 'tries',
    mode: 'dry_run',
    outcome: 'would_act',
    reason: 'fired',
    atMs,
    channelArn: arnOf('a'),
    channelName: 'a',
    group: arnOf('a'),
    cause: id,
    trigger: { kind: 'state', sinceMs: atMs, text: 'health is STARVING', values: {} },
    guards: [],
    jobs: [{ jobId: `job-${id}`, action: 'put_metadata' }],
    withheld: [],
    ...more,
  };
}

test('shows what a rule in dry run would have done in the last day, and shows nothing of the kind for other rules', async () => {
  let clock = nowMs;
  const state = new MemoryState({ now: () => clock });
  const record = async (each: Decision) => {
    clock = each.atMs;
    await state.transact((tx) => recordDecisions(tx, [each]));
  };
  await record(decision('d-old', 25 * hour, {}));
  await record(decision('d-1', 9 * hour, {}));
  await record(decision('d-2', 8 * hour, { outcome: 'suppressed', reason: 'cooldown', jobs: [] }));
  const both = [{ jobId: 'j', action: 'put_metadata' } as const, { jobId: 'k', action: 'stop_stream' } as const];
  await record(decision('d-3', 2 * hour, { reason: 'step_due', jobs: both }));
  await record(decision('d-4', hour, { rule: 'acts', mode: 'enforce', outcome: 'acted' }));
  clock = nowMs;
  const shard = {
    name: 'main',
    region: 'us-west-2',
    accountId: '111122223333',
    state,
    ruleset: rulesetOf(rules),
    startedAtMs: nowMs,
  };
  const patch = { file: 'rules.yaml', line: 3, text: 'a patch' };
  const ask = askedRoutes(ruleRoutes({ shards: new ShardDirectory([shard]), patchOf: () => patch }));

  expect((await ask('GET', '/rules/tries')).body).toMatchObject({
    last24h: { would_act: 2, suppressed: 1 },
    wouldHave: {
      times: 2,
      actions: { put_metadata: 2, stop_stream: 1 },
      heldBack: { cooldown: 1 },
      newest: [
        {
          decisionId: 'd-3',
          at: '2026-11-20T08:00:00.000Z',
          channelName: 'a',
          actions: ['put_metadata', 'stop_stream'],
        },
        { decisionId: 'd-1' },
      ],
      partial: false,
    },
    patch,
  });
  const acts = (await ask('GET', '/rules/acts')).body;
  expect([acts.last24h.acted, acts.wouldHave, acts.patch]).toEqual([1, undefined, undefined]);
});
