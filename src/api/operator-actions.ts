// Where operators' actions come in: finds the shard and the channels, fills in templates, writes job and audit in one commit. Also what
// the API shows of jobs and intents. Meets the ports of src/api/routes/{actions,jobs,intents}.ts.
import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type ActionJob, type ActionName, type ActionParams, namedFiles } from '#domain/action.ts';
import type { IntentKind } from '#domain/action-memory.ts';
import type { Channel, ChannelArn } from '#domain/channel.ts';
import type { Delivery } from '#domain/decision.ts';
import { AppError } from '#domain/errors.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import type { Ruleset } from '#domain/rule.ts';
import type { SharedState } from '#domain/shared-state.ts';
import type { Kind } from '#domain/state-key.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import type { Queues } from '#jobs/queues.ts';
import { audit } from '#journal/audit.ts';
import { resultsOf } from '#journal/query.ts';
import { compileParams } from '#rules/action-template.ts';
import { channelDocument } from '#rules/documents.ts';
import type { ShardDirectory, ShardIdentity } from '#shard/directory.ts';
import type { FileAuthority } from '#shard/file-authority.ts';
import { forgetFailedJob } from '#workers/alerts.ts';
import { createBulk, openBulks, stopBulk } from '#workers/bulk.ts';
import { type BatchEnd, deliveryOf } from '#workers/delivery-result.ts';
import { cancelIntent, intentsOf } from '#workers/intents.ts';
import { keyAges } from '#workers/key-record.ts';
import { bulkView, intentView, iso, jobView, pendingJobView, withDelivery } from './job-views.ts';
import type { ActionRequest, BulkView, OperatorActionsPort } from './routes/actions.ts';
import type { IntentsPort, IntentView } from './routes/intents.ts';
import type { JobsPort, JobView } from './routes/jobs.ts';

/** One shard, as far as this needs it. */
export interface ActionShard extends ShardIdentity {
  readonly state: SharedState;
  readonly queues: Pick<Queues, 'find'>;
  readonly relay: { nudge(): void };
  /** The rules in force, and the receivers. */
  readonly ruleset: Ruleset;
  /** Asks IVS, for at most ten seconds. @throws AppError RECORDING_CONFIGURATION_…, or why IVS does not tell */
  recordingConfiguration(wanted: string): Promise<unknown>;
  /** @throws AppError NOT_FOUND for a batch that is kept no more */
  readonly metadata: { progress(batchId: string): Promise<BatchEnd> };
  /** Reads one channel of IVS now; undefined when there is none. @throws AppError when IVS does not tell */
  refreshChannel(arn: ChannelArn): Promise<Channel | undefined>;
}

export interface OperatorActionsOptions {
  readonly shards: ShardDirectory<ActionShard>;
  readonly files: Pick<FileAuthority, 'assertRequest'>;
  readonly configHash: () => string;
  /** `controls.max_bulk_actions` of the configuration in force. */
  readonly maxBulks: () => number;
}

const accountActions: ReadonlySet<ActionName> = new Set([
  'notify',
  'webhook',
  'emit_event',
  'put_metadata',
  'rotate_playback_key_pair',
  'retire_recording_configuration',
]);
/** So many channels that the inventory does not know are asked for at IVS, one by one; of more, a listing must tell. */
const mostUnknownAsked = 20;
/** Characters of the parameters of all channels of one bulk, as JSON: every replica holds them until they have run. */
const longestBulk = 16 * 2 ** 20;
const renderedAtOnce = 50;
const resendable: ReadonlySet<string> = new Set(['webhook', 'notify', 'emit_event']);
const templateRoots: ReadonlySet<'channel'> = new Set(['channel']);

export class OperatorActions implements OperatorActionsPort, JobsPort, IntentsPort {
  readonly #options: OperatorActionsOptions;

  constructor(options: OperatorActionsOptions) {
    this.#options = options;
  }

  async submit(request: ActionRequest): Promise<{ readonly jobId: string }> {
    const { shards, files } = this.#options;
    const { action, channelArn, account, who, reason, dryRun, idempotencyKey } = request;
    if (channelArn === undefined && !accountActions.has(action))
      throw new AppError('ACTION_NEEDS_CHANNEL', `body.channelArn: ${action} needs a channel`);
    const shard = channelArn === undefined ? shards.namedOrOnly(account) : shards.ofChannel(channelArn);
    const jobId = jobIdOf(action, who, idempotencyKey ?? randomUUID());
    // A repeat of a request is answered as before, whatever has become of the channel since.
    const isRepeat = idempotencyKey !== undefined && (await shard.queues.find(jobId)) !== undefined;
    if (channelArn !== undefined && !isRepeat) await this.#assertKnown(shard, [channelArn], 'body.channelArn');
    const params = this.#render(shard, action, request.params, channelArn);
    const cause = { kind: 'operator', who, reason } as const;
    await files.assertRequest({ action, params, cause });
    if (!isRepeat) await assertNames(shard, action, [params]);
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
          ...this.#hash(),
        });
      },
      { dedupIds: [jobId] },
    );
    shard.relay.nudge();
    return { jobId };
  }

  async submitBulk(
    request: Parameters<OperatorActionsPort['submitBulk']>[0],
  ): Promise<{ bulkId: string; channels: number }> {
    const { shards, files } = this.#options;
    const { action, params, targets, maxChannels, who, reason, dryRun } = request;
    if (shards.all.length > 1 && targets.channelArns === undefined)
      throw new AppError('REQUEST_INVALID', 'body.targets: with several accounts, name the channels by channelArns');
    const arns = [...new Set(targets.channelArns ?? this.#select(shards.first, targets))];
    if (arns.length > maxChannels) {
      throw new AppError(
        'REQUEST_INVALID',
        `body.targets: ${arns.length} channels are meant, and maxChannels is ${maxChannels}: nothing was done`,
      );
    }
    const shard = arns[0] === undefined ? shards.first : shards.ofChannel(arns[0]);
    const mostOpen = this.#options.maxBulks();
    if (openBulks(shard.state.view) >= mostOpen) throw tooManyBulks(mostOpen);
    if (arns.some((arn) => shards.ofChannel(arn) !== shard))
      throw new AppError(
        'REQUEST_INVALID',
        'body.targets.channelArns: the channels of one bulk must be of one account and Region',
      );
    if (targets.channelArns) await this.#assertKnown(shard, arns, 'body.targets.channelArns');
    const items = await this.#renderAll(shard, { action, params, arns });
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
    const bulkId = await createBulk(shard.state, { action, items, cause, dryRun, mostOpen });
    if (bulkId === undefined) throw tooManyBulks(mostOpen);
    await shard.state.transact((tx) =>
      audit(tx, {
        who,
        what: `bulk ${action}`,
        outcome: 'requested',
        why: reason,
        jobId: bulkId,
        params: { params, targets, channels: arns.length },
        dryRun,
        ...this.#hash(),
      }),
    );
    return { bulkId, channels: arns.length };
  }

  async bulks(): Promise<BulkView[]> {
    const bulks = await this.#each(kinds.bulk, (bulk) => bulkView(bulk));
    return bulks.toSorted((a, b) => b.since.localeCompare(a.since));
  }

  async stopBulk(bulkId: string, who: string): Promise<BulkView> {
    await this.#refresh();
    for (const { state } of this.#options.shards.all) {
      if (state.view.get(kinds.bulk.of(bulkId)) === undefined) continue;
      const bulk = await state.transact((tx) => {
        audit(tx, { who, what: 'stop_bulk', outcome: 'done', why: '', jobId: bulkId, ...this.#hash() });
        return stopBulk(tx, bulkId);
      });
      if (bulk) return bulkView(bulk);
    }
    throw new AppError('NOT_FOUND', `there is no bulk action ${bulkId}`);
  }

  async read(jobId: string): Promise<JobView> {
    await this.#refresh();
    for (const { state: shared, queues, metadata } of this.#options.shards.all) {
      const job = await queues.find(jobId);
      if (job) {
        const state = await job.getState();
        // It may have ended between the two reads: then its result is read again.
        const ended = job.finishedOn === undefined && (state === 'completed' || state === 'failed');
        const view = jobView((ended ? await queues.find(jobId) : undefined) ?? job, state);
        return withDelivery(view, await deliveryOfJob({ state: shared, metadata }, view));
      }
      const pending = shared.view.get(kinds.job.of(jobId));
      if (pending) return pendingJobView(pending);
    }
    throw new AppError('NOT_FOUND', `there is no job ${jobId}; finished jobs are kept for days, not for ever`);
  }

  async resend(jobId: string, who: string): Promise<{ readonly jobId: string }> {
    for (const shard of this.#options.shards.all) {
      const job = await shard.queues.find(jobId);
      if (!job) continue;
      const state = await job.getState();
      if (!resendable.has(job.name) || (state !== 'completed' && state !== 'failed'))
        throw new AppError('JOB_NOT_RESENDABLE', `job ${jobId} is a ${job.name} in state ${state}`);
      const again = jobIdOf(job.name, jobId, randomUUID());
      const payload = job.data as ActionJob;
      await shard.state.transact((tx) => {
        forgetFailedJob(tx, jobId);
        tx.enqueue({ jobId: again, name: job.name, payload: { ...payload, decidedAtMs: tx.nowMs } });
        audit(tx, {
          who,
          what: 'resend',
          outcome: 'requested',
          why: jobId,
          jobId: again,
          channelArn: payload.channelArn,
          ...this.#hash(),
        });
      });
      shard.relay.nudge();
      return { jobId: again };
    }
    throw new AppError('NOT_FOUND', `there is no job ${jobId}`);
  }

  async intents(): Promise<IntentView[]> {
    await this.#refresh();
    return this.#options.shards.all.flatMap(({ state }) => intentsOf(state.view).map(intentView));
  }

  async cancel(kind: IntentKind, channelArn: string, who: string): Promise<IntentView> {
    const intent = await this.#options.shards.ofChannel(channelArn).state.transact((tx) => {
      const taken = cancelIntent(tx, kind, channelArn);
      if (taken)
        audit(tx, {
          who,
          what: 'cancel_intent',
          outcome: 'done',
          why: taken.summary,
          channelArn,
          before: { intent: taken.summary },
          ...this.#hash(),
        });
      return taken;
    });
    if (!intent) throw new AppError('NOT_FOUND', `no ${kind} waits on ${channelArn}`);
    return intentView(intent);
  }

  async keyAges() {
    await this.#refresh();
    return this.#options.shards.all.flatMap(({ state }) =>
      keyAges(state.view).map(({ channelArn, rotatedAtMs, deliveredTo }) => ({
        channelArn,
        rotatedAt: iso(rotatedAtMs),
        ageDays: Math.round((state.nowMs() - rotatedAtMs) / 8_640_000) / 10,
        deliveredTo,
      })),
    );
  }

  #hash(): { configHash: string } {
    return { configHash: this.#options.configHash() };
  }

  /** Another replica may have written what is asked for. */
  async #refresh(): Promise<void> {
    await Promise.all(this.#options.shards.all.map(({ state }) => state.refresh()));
  }

  async #each<T, V>(kind: Kind<T>, show: (entry: T) => V): Promise<V[]> {
    await this.#refresh();
    return this.#options.shards.all.flatMap(({ state }) =>
      Array.from(state.view.entries(kind), ([, entry]) => show(entry)),
    );
  }

  /**
   * Refuses channels that do not exist, rather than leaving a job to fail where nobody looks. What the inventory does not know may have
   * been made a moment ago, so IVS is asked; when it does not tell, the job will find out.
   * @throws AppError CHANNEL_UNKNOWN
   */
  async #assertKnown(shard: ActionShard, arns: readonly string[], place: string): Promise<void> {
    const { view } = shard.state;
    const missing = () =>
      arns.filter((arn) => view.get(kinds.channel.of(arn)) === undefined && !isLive(view.get(kinds.stream.of(arn))));
    if (missing().length === 0) return;
    // Another replica may have listed them.
    await shard.state.refresh();
    const unlisted = missing();
    if (unlisted.length > mostUnknownAsked) {
      if (view.count(kinds.channel) === 0) return;
      throw unknownChannels(
        place,
        unlisted,
        'the inventory; if they are new, POST /v1/channels/refresh reads it again',
      );
    }
    const asked = await Promise.all(
      unlisted.map(async (arn) => ({
        arn,
        gone: await shard.refreshChannel(arn as ChannelArn).then(
          (channel) => channel === undefined,
          () => false,
        ),
      })),
    );
    const gone = asked.filter((each) => each.gone).map(({ arn }) => arn);
    if (gone.length > 0) throw unknownChannels(place, gone, `IVS in account ${shard.name}, ${shard.region}`);
  }

  /** Channels that are live, or that carry all of the tags. */
  #select(
    { state: { view } }: ActionShard,
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

  /** Fills in the parameters for each channel, and lets others be answered in between. @throws AppError REQUEST_INVALID */
  async #renderAll(
    shard: ActionShard,
    { action, params, arns }: { action: ActionName; params: ActionParams; arns: readonly string[] },
  ): Promise<{ readonly channelArn: string; readonly params: ActionParams }[]> {
    const items = [];
    let length = 0;
    for (const channelArn of arns) {
      const rendered = this.#render(shard, action, params, channelArn);
      items.push({ channelArn, params: rendered });
      length += JSON.stringify(rendered).length;
      if (length > longestBulk)
        throw new AppError(
          'REQUEST_INVALID',
          `body.action: for ${arns.length} channels the parameters are too large together: at most ${longestBulk / 2 ** 20} MB; send less for each, or to fewer at once`,
        );
      if (items.length % renderedAtOnce === 0) await setImmediate();
    }
    return items;
  }

  #render(shard: ActionShard, action: ActionName, params: ActionParams, channelArn: string | undefined): ActionParams {
    const compiled = compileParams(action, params, channelArn === undefined ? new Set() : templateRoots);
    if (!compiled.ok) {
      const problems = compiled.problems.map(({ path, message }) => ({
        path: ['body.action', action, ...path].join('.'),
        message,
      }));
      throw new AppError('REQUEST_INVALID', `${problems[0]!.path}: ${problems[0]!.message}`, { details: { problems } });
    }
    if (!compiled.hasTemplates || channelArn === undefined) return params;
    const { view } = shard.state;
    const record = view.get(kinds.stream.of(channelArn));
    const channel = channelDocument(
      channelArn as ChannelArn,
      view.get(kinds.channel.of(channelArn)),
      record?.channelName,
    );
    const firing = { since: '', duration: '', durationSeconds: 0, group: channelArn, resolved: false };
    const rendered = compiled.render({ rule: { name: 'operator', mode: 'enforce' }, firing, channel });
    if (!rendered.ok)
      throw new AppError('REQUEST_INVALID', `body.action.${action}: for ${channelArn}: ${rendered.problem}`);
    return rendered.params;
  }
}

/** What became of a put_metadata's items: as the batch tells, and afterwards as it was written down. */
async function deliveryOfJob(
  { state, metadata }: Pick<ActionShard, 'state' | 'metadata'>,
  { jobId, name, result, decidedAt = iso(0) }: JobView,
): Promise<Delivery | undefined> {
  const { batchId } = (result ?? {}) as { readonly batchId?: unknown };
  if (name !== 'put_metadata' || typeof batchId !== 'string') return undefined;
  try {
    return deliveryOf(await metadata.progress(batchId));
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'NOT_FOUND')) throw error;
    return (await resultsOf(state, new Set([jobId]), Date.parse(decidedAt))).get(jobId)?.delivery;
  }
}

/**
 * What parameters name must be there: a mistake is told to whoever makes it, rather than to whoever finds a failed job. When IVS does
 * not tell, the job will find out.
 * @throws AppError RECEIVER_UNKNOWN, RECORDING_CONFIGURATION_UNKNOWN, RECORDING_CONFIGURATION_AMBIGUOUS, WEBHOOK_REFUSED
 */
async function assertNames(
  shard: Pick<ActionShard, 'ruleset' | 'recordingConfiguration'>,
  action: ActionName,
  all: readonly ActionParams[],
): Promise<void> {
  const named = (field: string) =>
    new Set(
      all
        .map((params) => (params as Readonly<Record<string, unknown>>)[field])
        .filter((each) => typeof each === 'string'),
    );
  const place = `body.action.${action}`;
  const receivers = shard.ruleset.receivers.map(({ name }) => name);
  const receiverField = action === 'capture_session' ? 'notify' : action === 'notify' ? 'receiver' : undefined;
  for (const receiver of receiverField ? named(receiverField) : [])
    if (!receivers.includes(receiver))
      throw new AppError(
        'RECEIVER_UNKNOWN',
        `${place}.${receiverField}: the configuration has no receiver "${receiver}"${didYouMean(receiver, receivers)}; it has ${receivers.join(', ') || 'none'}`,
      );
  if (action === 'webhook')
    for (const { url, url_file: file } of all as readonly ActionParams<'webhook'>[])
      if ((url === undefined) === (file === undefined))
        throw new AppError('WEBHOOK_REFUSED', `${place}: a webhook needs exactly one of url and url_file`);
  if (action !== 'set_recording' && action !== 'retire_recording_configuration') return;
  for (const configuration of named('configuration')) {
    if (action === 'set_recording' && configuration === 'none') continue;
    await shard.recordingConfiguration(configuration).catch((error: unknown) => {
      if (error instanceof AppError && error.code.startsWith('RECORDING_CONFIGURATION_'))
        throw new AppError(error.code, `${place}.configuration: ${error.message}`, { cause: error });
    });
  }
}

/** One file of each folder is asked for, however many channels there are; each job is asked again when it runs. */
async function assertFiles(
  files: OperatorActionsOptions['files'],
  jobs: readonly Parameters<FileAuthority['assertRequest']>[0][],
): Promise<void> {
  const folders = (params: ActionParams) => namedFiles(params).map(({ place, path }) => [...place, dirname(path)]);
  const apart = new Map(jobs.map((job) => [JSON.stringify(folders(job.params)), job]));
  for (const job of apart.values()) await files.assertRequest(job);
}

function tooManyBulks(most: number): AppError {
  return new AppError(
    'TOO_MANY_BULK_ACTIONS',
    `${most} bulk actions are under way, as many as controls.max_bulk_actions allows`,
    { details: { setting: 'controls.max_bulk_actions' } },
  );
}

function isLive(record: StreamRecord | undefined): boolean {
  return record?.state === 'live';
}

function unknownChannels(place: string, arns: readonly string[], where: string): AppError {
  const more = arns.length > 1 ? ` and ${arns.length - 1} more` : '';
  return new AppError('CHANNEL_UNKNOWN', `${place}: ${arns[0]}${more}: not known to ${where}; nothing was done`, {
    details: { channelArns: arns.slice(0, 20) },
  });
}
