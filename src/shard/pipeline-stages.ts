// What a shard's pipeline does with an observation, stage by stage.
import type { Account } from '#config/accounts.ts';
import type { Config } from '#config/load.ts';
import { durationMs } from '#domain/duration.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { type DecideOptions, decideAll, decideAnswer, decideDue } from '#rules/decide.ts';
import type { PipelineStages, StageOptions } from '#src/pipeline.ts';
import { applyObservation, splitObservation } from '#streams/changes.ts';
import { detectGaps } from '#streams/gaps.ts';
import { intentsDue } from '#workers/intents.ts';
import { gapOptionsOf } from './settings.ts';

export interface PipelineStagesOptions {
  readonly account: Account;
  /** The configuration in force. */
  readonly config: () => Config;
  readonly decideOptions: (tx: Transaction, where: StageOptions | undefined) => DecideOptions;
}

export function pipelineStages({ account, config, decideOptions }: PipelineStagesOptions): PipelineStages {
  return {
    split: splitObservation,
    apply: (tx, observation) =>
      applyObservation(tx, observation, { retentionMs: durationMs(config().settings.retention.sessions) }),
    decide: (tx, changes, ruleset, where) => decideAll(tx, changes, ruleset, decideOptions(tx, where)),
    decideDue: (tx, ruleset, where) => decideDue(tx, ruleset, decideOptions(tx, where)),
    decideAnswer: (tx, said, ruleset, where) => decideAnswer(tx, said, ruleset, decideOptions(tx, where)),
    release: intentsDue,
    detectGaps: (tx) => detectGaps(tx, gapOptionsOf(config().settings, account)),
  };
}
