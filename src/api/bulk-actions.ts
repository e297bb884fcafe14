// An operator action for many channels: checked and rendered for all of them before the first job, then followed and stopped here.
// Implements the port of routes/actions.ts; workers/bulk.ts hands out the jobs.
import type { Bulk } from '#domain/action-memory.ts';
import { planOf } from '#domain/ad-break-line.ts';
import type { Channel, ChannelArn } from '#domain/channel.ts';
import { iso } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import { notFound } from '#domain/not-found.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { audit } from '#journal/audit.ts';
import type { ShardDirectory, ShardIdentity } from '#shard/directory.ts';
import type { FileAuthority } from '#shard/file-authority.ts';
import { nameOf } from '#streams/queries.ts';
import { createBulk, openBulks, stopBulk } from '#workers/bulk.ts';
import {
  assertAdsPossible,
  assertChannelsKnown,
  assertFiles,
  assertNames,
  type CheckedShard,
  givesAds,
} from './action-checks.ts';
import { renderAll } from './action-templates.ts';
import { refreshAll } from './refresh-all.ts';
import type { AcceptedBulk, BulkActionRequest, BulkActionsPort, BulkView } from './routes/actions.ts';

/** What submitting a bulk action needs of one shard. */
export interface BulkShard extends ShardIdentity, CheckedShard {
  readonly relay: { nudge(): void };
}

export interface BulkActionsOptions {
  readonly shards: ShardDirectory<BulkShard>;
  readonly files: Pick<FileAuthority, 'assertRequest'>;
  readonly configHash: () => string;
  /** `controls.max_bulk_actions` of the configuration in force. */
  readonly mostOpen: () => number;
}

export class BulkActions implements BulkActionsPort {
  readonly #options: BulkActionsOptions;

  constructor(options: BulkActionsOptions) {
    this.#options = options;
  }

  async submit(request: BulkActionRequest): Promise<AcceptedBulk> {
    const { shards, files } = this.#options;
    const { action, params, targets, maxChannels, who, reason, dryRun } = request;
    if (action === 'edit_playback_restriction')
      throw new AppError(
        'REQUEST_INVALID',
        'body.targets: edit_playback_restriction changes a policy once, for every channel that uses it: omit targets',
      );
    if (shards.all.length > 1 && targets.channelArns === undefined)
      throw new AppError('REQUEST_INVALID', 'body.targets: with several accounts, name the channels by channelArns');
    const arns = [...new Set(targets.channelArns ?? select(shards.first.state, targets))];
    if (arns.length > maxChannels) {
      throw new AppError(
        'REQUEST_INVALID',
        `body.targets: ${arns.length} channels match, but maxChannels is ${maxChannels}: nothing was done`,
      );
    }
    const shard = arns[0] === undefined ? shards.first : shards.ofChannel(arns[0]);
    const mostOpen = this.#options.mostOpen();
    if (openBulks(shard.state.view) >= mostOpen) throw tooManyBulks(mostOpen);
    if (arns.some((arn) => shards.ofChannel(arn) !== shard))
      throw new AppError(
        'REQUEST_INVALID',
        'body.targets.channelArns: the channels of one bulk must be of one account and Region',
      );
    if (targets.channelArns) await assertChannelsKnown(shard, arns, 'body.targets.channelArns');
    const items = await renderAll(shard.state, { action, params, arns });
    const cause = { kind: 'operator', who, reason } as const;
    await assertFiles(
      files,
      items.map((item) => ({ action, params: item.params, cause })),
    );
    await assertNames(
      shard,
      action,
      items.map((item) => item.params),
    );
    if (items.some((item) => givesAds(action, item.params))) await assertAdsPossible(shard, arns, 'body.targets');
    const spacingMs = shard.adBreakSpacingMs();
    const bulkId = await createBulk(shard.state, {
      action,
      items,
      cause,
      dryRun,
      mostOpen,
      adBreakSpacingMs: spacingMs,
    });
    if (bulkId === undefined) throw tooManyBulks(mostOpen);
    shard.relay.nudge();
    await shard.state.transact((tx) =>
      audit(tx, {
        who,
        what: `bulk ${action}`,
        outcome: 'requested',
        why: reason,
        jobId: bulkId,
        params: { params, targets, channels: arns.length },
        dryRun,
        configHash: this.#options.configHash(),
      }),
    );
    const accepted = { bulkId, channels: arns.length, ...(dryRun ? { dryRun } : {}) } as const;
    if (action !== 'insert_ad_break') return accepted;
    const { state } = shard;
    return {
      ...accepted,
      plan: planOf(state.view, arns, { nowMs: state.nowMs(), spacingMs, isDry: dryRun }).map((turn) => ({
        ...turn,
        channelName: nameOf(state.view, turn.channelArn as ChannelArn),
      })),
    };
  }

  async list(): Promise<BulkView[]> {
    const { shards } = this.#options;
    await refreshAll(shards);
    const bulks = shards.all.flatMap(({ state }) =>
      Array.from(state.view.entries(kinds.bulk), ([, bulk]) => bulkView(bulk)),
    );
    return bulks.toSorted((a, b) => b.since.localeCompare(a.since));
  }

  async stop(bulkId: string, who: string): Promise<BulkView> {
    await refreshAll(this.#options.shards);
    for (const { state } of this.#options.shards.all) {
      if (state.view.get(kinds.bulk.of(bulkId)) === undefined) continue;
      const bulk = await state.transact((tx) => {
        audit(tx, {
          who,
          what: 'stop_bulk',
          outcome: 'done',
          why: '',
          jobId: bulkId,
          configHash: this.#options.configHash(),
        });
        return stopBulk(tx, bulkId);
      });
      if (bulk) return bulkView(bulk);
    }
    throw notFound('bulk', `there is no bulk action ${bulkId}`);
  }
}

/** Channels that are live, or that have all of the tags. */
function select(
  { view }: Pick<SharedState, 'view'>,
  { live, tags = {} }: { live?: true | undefined; tags?: Record<string, string[]> | undefined },
): string[] {
  if (live) {
    const records = Array.from(view.entries(kinds.stream), ([, record]) => record);
    return records.filter(({ state }) => state === 'live').map(({ channelArn }) => channelArn);
  }
  const channels = Array.from(view.entries(kinds.channel), ([, channel]) => channel);
  const carries = (channel: Channel) =>
    Object.entries(tags).every(([key, values]) => values.includes(channel.tags[key] ?? '\0'));
  return channels.filter(carries).map(({ arn }) => arn);
}

function tooManyBulks(most: number): AppError {
  return new AppError(
    'TOO_MANY_BULK_ACTIONS',
    `${most} bulk actions are running, the maximum of controls.max_bulk_actions`,
    { details: { setting: 'controls.max_bulk_actions' } },
  );
}

function bulkView({
  id,
  action,
  state,
  channels,
  started,
  outcomes,
  dryRun,
  wouldDo,
  cause,
  sinceMs,
  endedAtMs,
  verification,
}: Bulk): BulkView {
  return {
    bulkId: id,
    action,
    state,
    channels,
    started,
    outcomes: { ...outcomes },
    dryRun,
    ...(wouldDo === undefined
      ? {}
      : { wouldDo: wouldDo.map(({ channelArn, calls }) => ({ channelArn, calls: [...calls] })) }),
    who: cause.who,
    reason: cause.reason,
    since: iso(sinceMs),
    ...(endedAtMs === undefined ? {} : { endedAt: iso(endedAtMs) }),
    ...(verification === undefined ? {} : { verification: { ...verification, differs: [...verification.differs] } }),
  };
}
