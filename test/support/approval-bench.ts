// The shared state in Redis with a rule that requires two approvals, and the three steps to its action. Every process that has this is a
// replica: it remembers nothing by itself.
import type { Redis } from 'ioredis';
import type { ChannelArn, StreamId } from '#domain/channel.ts';
import type { Decision } from '#domain/decision.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { decideAll, decideAnswer } from '#rules/decide.ts';
import { RedisState } from '#store/shared-state.ts';
import { rulesetOf } from './engine.ts';
import { testMetrics } from './quiet.ts';
import { foldStream } from './stream-fold.ts';

export const approvalSteps = ['asked', 'yes of ann', 'yes of bob'] as const;
export type ApprovalStep = (typeof approvalSteps)[number];

const ruleset = rulesetOf(`
receivers: [{name: noc, webhook_configs: [{url: "https://noc.example/hook"}]}]
rules:
  - name: stop
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: [{stop_stream: {}, approval: {count: 2, timeout: 1h}}]
    guards: {cooldown: 0s, max_per_hour: 10}
`);
export const benchChannel = 'arn:aws:ivs:us-west-2:111122223333:channel/a' as ChannelArn;

export interface ApprovalBench {
  readonly state: RedisState;
}

export function approvalBench(redis: Redis, prefix: string): ApprovalBench {
  return { state: new RedisState({ redis, prefix, metrics: testMetrics() }) };
}

/** Takes a step, also when it is unknown whether it was taken already. */
export async function takeStep(
  { state }: ApprovalBench,
  step: ApprovalStep,
  { beforeCommit }: { readonly beforeCommit?: (() => void) | undefined } = {},
): Promise<void> {
  const commit = (body: (tx: Transaction) => readonly Decision[]) =>
    state.transact((tx) => {
      body(tx);
      beforeCommit?.();
    });
  if (step === 'asked') {
    await commit((tx) => {
      const live = { streamId: 'st-1' as StreamId, state: 'live', health: 'STARVING', startedAtMs: 1 } as const;
      return decideAll(tx, [foldStream(tx, benchChannel, live)], ruleset);
    });
    return;
  }
  // Even one that is over: a person who lost the answer tries again.
  const [id = 'none'] = Array.from(state.view.entries(kinds.approval), ([key]) => key);
  const who = step === 'yes of ann' ? 'token ann' : 'token bob';
  await commit(
    (tx) =>
      decideAnswer(tx, { kind: 'approve', id, who, role: 'operator', from: '198.51.100.7', reason: 'seen' }, ruleset)
        .decisions,
  );
}
