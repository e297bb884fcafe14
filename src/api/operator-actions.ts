// An operator action for one channel, or for none: finds the shard, checks the names, fills in templates, and writes job and audit in one
// commit. Implements the port of routes/actions.ts.
import { randomUUID } from 'node:crypto';
import { type ActionJob, channelActions } from '#domain/action.ts';
import { AppError } from '#domain/errors.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import type { Queues } from '#jobs/queues.ts';
import { audit } from '#journal/audit.ts';
import type { ShardDirectory, ShardIdentity } from '#shard/directory.ts';
import type { FileAuthority } from '#shard/file-authority.ts';
import {
  assertAdBreakPossible,
  assertAdsPossible,
  assertChannelsKnown,
  assertNames,
  type CheckedShard,
  givesAds,
} from './action-checks.ts';
import { render } from './action-templates.ts';
import type { ActionRequest, OperatorActionsPort } from './routes/actions.ts';

/** What submitting an action needs of one shard. */
export interface ActionShard extends ShardIdentity, CheckedShard {
  readonly queues: Pick<Queues, 'find'>;
  readonly relay: { nudge(): void };
}

export interface OperatorActionsOptions {
  readonly shards: ShardDirectory<ActionShard>;
  readonly files: Pick<FileAuthority, 'assertRequest'>;
  readonly configHash: () => string;
}

export class OperatorActions implements OperatorActionsPort {
  readonly #options: OperatorActionsOptions;

  constructor(options: OperatorActionsOptions) {
    this.#options = options;
  }

  async submit(request: ActionRequest): Promise<{ readonly jobId: string }> {
    const { shards, files, configHash } = this.#options;
    const { action, channelArn, account, who, reason, dryRun, idempotencyKey } = request;
    if (channelArn === undefined && channelActions.has(action) && action !== 'put_metadata')
      throw new AppError('ACTION_NEEDS_CHANNEL', `body.channelArn: ${action} needs a channel`);
    const shard = channelArn === undefined ? shards.namedOrOnly(account) : shards.ofChannel(channelArn);
    const jobId = jobIdOf(action, who, idempotencyKey ?? randomUUID());
    // A repeated request gets the same answer as before, whatever has happened to the channel since.
    const isRepeat = idempotencyKey !== undefined && (await shard.queues.find(jobId)) !== undefined;
    if (channelArn !== undefined && !isRepeat) await assertChannelsKnown(shard, [channelArn], 'body.channelArn');
    const params = render(shard.state, action, request.params, channelArn);
    const cause = { kind: 'operator', who, reason } as const;
    await files.assertRequest({ action, params, cause });
    if (!isRepeat) await assertNames(shard, action, [params]);
    if (!isRepeat && action === 'insert_ad_break' && channelArn !== undefined)
      await assertAdBreakPossible(shard, channelArn);
    if (!isRepeat && channelArn !== undefined && givesAds(action, params))
      await assertAdsPossible(shard, [channelArn], 'body.channelArn');
    await shard.state.transact(
      (tx) => {
        if (tx.isRepeat(jobId)) return;
        const job: ActionJob = {
          action,
          params,
          cause,
          decidedAtMs: tx.nowMs,
          ...(channelArn === undefined ? {} : { channelArn }),
          ...(request.streamId === undefined ? {} : { streamId: request.streamId }),
          ...(dryRun ? { dryRun } : {}),
        };
        tx.enqueue({ jobId, name: action, payload: { ...job } });
        audit(tx, {
          who,
          what: action,
          outcome: 'requested',
          why: reason,
          channelArn,
          jobId,
          params,
          dryRun,
          configHash: configHash(),
        });
      },
      { dedupIds: [jobId] },
    );
    shard.relay.nudge();
    return { jobId };
  }
}
