// A small Amazon IVS in virtual time, observed and evaluated by the daemon's own code: what happens to a channel arrives as polls and
// events, becomes records, and the rules decide. Jobs are collected, and run if there is a worker (jobs.ts). Used by `test` and
// `replay`.
import type { ActionJob } from '#domain/action.ts';
import type { ApprovalSaid } from '#domain/approval.ts';
import {
  type Channel,
  type ChannelArn,
  channelIdOf,
  type StreamHealth,
  type StreamId,
  type StreamSnapshot,
} from '#domain/channel.ts';
import type { Decision } from '#domain/decision.ts';
import type { JobRequest } from '#domain/job.ts';
import { apart } from '#domain/metadata-fanout.ts';
import type { EventEnvelope, Observation } from '#domain/observation.ts';
import type { Ruleset } from '#domain/rule.ts';
import type { SharedState, Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { decideAll, decideAnswer, decideDue, nextDueMs } from '#rules/decide.ts';
import { freshStreamDocument, streamDocument } from '#rules/documents.ts';
import { matcherOf } from '#rules/pattern.ts';
import { Pipeline } from '#src/pipeline.ts';
import { MemoryState } from '#store/memory-state.ts';
import { applyObservation, splitObservation } from '#streams/changes.ts';
import { intentsDue } from '#workers/intents.ts';

export const testAccount = '111122223333';
export const testRegion = 'us-west-2';

/** A job that the rules requested, in virtual time. */
export interface PlannedJob {
  readonly jobId: string;
  readonly atMs: number;
  readonly rule: string;
  readonly channelArn: string | undefined;
  readonly action: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** `only_if` does not match the stream when the job runs, so the worker skips it. */
  skipped: boolean;
}

interface VirtualStream {
  readonly streamId: StreamId;
  readonly startTimeMs: number;
  /** The channel's recording configuration when the stream began; empty: none. */
  readonly recordingConfigurationArn: string;
  health: StreamHealth;
}

export interface VirtualChannel {
  channel: Channel;
  viewerCount: number;
  stream: VirtualStream | undefined;
  /** The last stream that ended. */
  last: StreamId | undefined;
}

/** Runs jobs in virtual time. */
export interface VirtualWorker {
  /** Takes jobs from the shared state; for the jobs of rules, with what the world recorded about them. */
  take(job: JobRequest, planned?: PlannedJob): void;
  /** Runs what is due now, until time must pass. */
  runDue(): Promise<void>;
  /** When something is due next, epoch ms. */
  nextDueMs(): number | undefined;
}

/** What notices a change: polls and events as usual, or only one of them. */
export type NoticedBy = 'both' | 'poll' | 'event';

const retentionMs = 60 * 86_400_000;
/** Limits rules that never settle. */
const maxTicksPerMoment = 10_000;

export class VirtualWorld {
  readonly state: MemoryState;
  readonly decisions: Decision[] = [];
  readonly jobs: PlannedJob[] = [];
  readonly channels = new Map<ChannelArn, VirtualChannel>();
  readonly #pipeline: Pipeline;
  #worker: VirtualWorker | undefined;
  #nowMs: number;
  #made = 0;
  #events: Observation[] = [];
  #pollNeeded = true;
  #inventoryNeeded = false;

  constructor({ ruleset, startMs }: { ruleset: Ruleset; startMs: number }) {
    this.#nowMs = startMs;
    this.state = new MemoryState({ now: () => this.#nowMs });
    this.#pipeline = new Pipeline({
      state: this.state,
      ruleset,
      stages: {
        split: splitObservation,
        apply: (tx, observation) => applyObservation(tx, observation, { retentionMs }),
        decide: decideAll,
        decideDue,
        decideAnswer,
        release: intentsDue,
        // Gaps come from the timeline or the recording.
        detectGaps: () => [],
      },
      onCommitted: ({ decisions }) => this.decisions.push(...decisions),
    });
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** From now on jobs run, instead of only being collected. */
  employ(worker: VirtualWorker): void {
    this.#worker = worker;
  }

  /** Adds channels, or changes their tags; the inventory notices at once. */
  async setChannels(channels: readonly { channel: Channel; viewerCount?: number }[]): Promise<void> {
    for (const { channel, viewerCount } of channels) {
      const known = this.channels.get(channel.arn);
      if (known) known.channel = channel;
      else
        this.channels.set(channel.arn, { channel, viewerCount: viewerCount ?? 0, stream: undefined, last: undefined });
    }
    await this.#noticeInventory();
  }

  /** What a call changes about a channel, noticed at the next `flush`; undefined: it is deleted. */
  changeChannel(arn: ChannelArn, channel: Channel | undefined): void {
    if (channel) this.#channel(arn).channel = channel;
    else this.channels.delete(arn);
    this.#inventoryNeeded = true;
  }

  /** What the encoder does. Noticed at the next `flush`. */
  setHealth(arn: ChannelArn, health: StreamHealth | 'OFFLINE', by: NoticedBy = 'both'): void {
    const channel = this.#channel(arn);
    const before = channel.stream;
    const tell = (detailType: string, ...names: string[]) => {
      for (const name of by === 'poll' ? [] : names) this.sendEvent(arn, detailType, { event_name: name });
    };
    if (by !== 'event') this.#pollNeeded = true;
    if (health === 'OFFLINE') {
      if (before) tell('IVS Stream State Change', 'Session Ended', 'Stream End');
      this.#end(channel);
      return;
    }
    if (!before) {
      this.#start(channel);
      tell('IVS Stream State Change', 'Session Created', 'Stream Start');
    }
    const stream = channel.stream!;
    if (stream.health !== 'STARVING' && health === 'STARVING') tell('IVS Stream Health Change', 'Starvation Start');
    if (stream.health === 'STARVING' && health === 'HEALTHY') tell('IVS Stream Health Change', 'Starvation End');
    stream.health = health;
  }

  setViewers(arn: ChannelArn, viewerCount: number): void {
    this.#channel(arn).viewerCount = viewerCount;
    this.#pollNeeded = true;
  }

  /** An event arrives, `lateMs` after it happened; its content becomes true. Noticed at the next `flush`. */
  sendEvent(
    arn: ChannelArn | undefined,
    detailType: string,
    detail: Readonly<Record<string, unknown>>,
    { lateMs = 0, envelope = {} }: { lateMs?: number; envelope?: Partial<EventEnvelope> } = {},
  ): void {
    const channel = arn === undefined ? undefined : this.#channel(arn);
    const streamId = channel && (channel.stream?.streamId ?? channel.last);
    const eventTimeMs = this.#nowMs - lateMs;
    this.#made += 1;
    const full: EventEnvelope = {
      version: '0',
      id: `rule-test-${this.#made}`,
      'detail-type': detailType,
      source: 'aws.ivs',
      account: testAccount,
      time: new Date(eventTimeMs).toISOString(),
      region: testRegion,
      resources: arn === undefined ? [] : [arn],
      ...envelope,
      detail: {
        ...(channel ? { channel_name: channel.channel.name } : {}),
        ...(streamId === undefined ? {} : { stream_id: streamId }),
        ...(detail['event_name'] === 'Ad Break Inserted' ? ordinaryAdBreak(this.#made, eventTimeMs) : {}),
        ...detail,
      },
    };
    this.#events.push({ kind: 'event', envelope: full, channelArn: arn, eventTimeMs, arrivedAtMs: this.#nowMs });
  }

  /** Makes the content of a single event true, so that later polls agree with it. */
  believeEvent(arn: ChannelArn, name: string): void {
    const channel = this.#channel(arn);
    if ((name === 'Stream Start' || name === 'Session Created') && !channel.stream) this.#start(channel);
    if (name === 'Stream End' || name === 'Session Ended') this.#end(channel);
    if (channel.stream && name === 'Starvation Start') channel.stream.health = 'STARVING';
    if (channel.stream && name === 'Starvation End') channel.stream.health = 'HEALTHY';
  }

  /** Lets the daemon notice what has changed: events first, then one complete poll if needed; then handles what follows. */
  async flush(): Promise<void> {
    for (let rounds = 0; this.#events.length > 0 || this.#inventoryNeeded || this.#pollNeeded; rounds += 1) {
      if (rounds > maxTicksPerMoment) throw new Error('the actions do not settle');
      const events = this.#events;
      this.#events = [];
      for (const event of events) await this.observe(event);
      if (this.#inventoryNeeded) await this.#noticeInventory();
      if (this.#pollNeeded) await this.#poll();
    }
  }

  async #poll(): Promise<void> {
    this.#pollNeeded = false;
    this.#made += 1;
    await this.observe({
      kind: 'poll',
      scope: 'all',
      pollId: `poll-${this.#made}`,
      startedAtMs: this.#nowMs,
      finishedAtMs: this.#nowMs,
      complete: true,
      pages: 1,
      streams: Array.from(this.channels.values()).flatMap(({ channel, viewerCount, stream }) =>
        stream ? [snapshotOf(channel.arn, stream, viewerCount)] : [],
      ),
    });
  }

  async #noticeInventory(): Promise<void> {
    this.#inventoryNeeded = false;
    const channels = Array.from(this.channels.values(), ({ channel }) => channel);
    const removed = Array.from(this.state.view.entries(kinds.channel), ([, { arn }]) => arn);
    await this.observe({
      kind: 'inventory',
      channels,
      removed: removed.filter((arn) => !this.channels.has(arn)),
      atMs: this.#nowMs,
      complete: true,
    });
  }

  /** One observation through the daemon's own stages. A repeated event is not observed again. */
  async observe(observation: Observation): Promise<void> {
    await this.#pipeline.observe(observation);
    await this.#takeJobs();
  }

  /** A person's answer to an action that waits for approval. */
  async answer(said: ApprovalSaid): Promise<void> {
    await this.#pipeline.answer(said);
    await this.#takeJobs();
  }

  /** A transaction that is no observation: holds, silences, pauses. */
  async commit(body: (tx: Transaction) => unknown): Promise<void> {
    await this.state.transact(body);
    await this.#takeJobs();
  }

  /** Lets time pass, deciding and working whenever something is due. */
  async advanceTo(targetMs: number): Promise<void> {
    let ticks = 0;
    for (;;) {
      const dueMs = this.#nextDueMs();
      if (dueMs === undefined || dueMs > targetMs) break;
      if (dueMs > this.#nowMs) ticks = 0;
      this.#nowMs = Math.max(this.#nowMs, dueMs);
      await this.#tick();
      ticks += 1;
      if (ticks > maxTicksPerMoment) throw new Error('the rules do not settle');
    }
    this.#nowMs = Math.max(this.#nowMs, targetMs);
    await this.#tick();
  }

  /** From now on these rules decide. */
  useRuleset(ruleset: Ruleset): void {
    this.#pipeline.useRuleset(ruleset);
  }

  #nextDueMs(): number | undefined {
    const moments = [nextDueMs(this.state.view), this.#worker?.nextDueMs()].filter((moment) => moment !== undefined);
    return moments.length === 0 ? undefined : Math.min(...moments);
  }

  async #tick(): Promise<void> {
    await this.#pipeline.tick();
    await this.#takeJobs();
    // What the jobs' calls have caused.
    if (this.#worker && (this.#events.length > 0 || this.#inventoryNeeded)) await this.flush();
  }

  async #takeJobs(): Promise<void> {
    for (const job of await takeJobs(this.state)) {
      const payload = job.payload as unknown as ActionJob;
      // A deferred job was already counted when its rule requested it, and a notice is no action of the rule.
      const planned =
        payload.intentId === undefined && !payload.isNotice ? this.#planned(job.jobId, payload) : undefined;
      if (planned) this.jobs.push(planned);
      this.#worker?.take(job, planned);
    }
    await this.#worker?.runDue();
  }

  #planned(jobId: string, job: ActionJob): PlannedJob {
    const { action, params, channelArn, cause, onlyIf } = job;
    return {
      jobId,
      atMs: this.#nowMs,
      rule: cause.kind === 'rule' ? cause.rule : '',
      channelArn,
      action,
      params: { ...params },
      skipped: onlyIf !== undefined && channelArn !== undefined && !matcherOf(onlyIf).match(this.#fresh(channelArn)),
    };
  }

  /** What GetStream would return now. */
  #fresh(channelArn: string): object {
    const known = this.channels.get(channelArn as ChannelArn);
    const record = this.state.view.get(kinds.stream.of(channelArn));
    // In a replay only the records are known.
    if (!known) return streamDocument(record, this.#nowMs);
    const { stream, viewerCount } = known;
    return freshStreamDocument(stream && { ...stream, viewerCount }, record, this.#nowMs);
  }

  #channel(arn: ChannelArn): VirtualChannel {
    const channel = this.channels.get(arn);
    if (!channel) throw new RangeError(`unknown channel ${channelIdOf(arn)}`);
    return channel;
  }

  #start(channel: VirtualChannel): void {
    this.#made += 1;
    const streamId = `st-${String(this.#made).padStart(23, '0')}` as StreamId;
    const { recordingConfigurationArn } = channel.channel;
    channel.stream = { streamId, startTimeMs: this.#nowMs, recordingConfigurationArn, health: 'HEALTHY' };
  }

  #end(channel: VirtualChannel): void {
    channel.last = channel.stream?.streamId ?? channel.last;
    channel.stream = undefined;
  }
}

/** An ad break of one minute, ten seconds after it was inserted. */
function ordinaryAdBreak(number: number, insertedMs: number): Readonly<Record<string, unknown>> {
  return {
    ad_break_id: String(number).padStart(12, '0'),
    duration_seconds: 60,
    target_start_time: new Date(insertedMs + 10_000).toISOString(),
  };
}

function snapshotOf(
  channelArn: ChannelArn,
  { streamId, startTimeMs, health }: VirtualStream,
  viewerCount: number,
): StreamSnapshot {
  return { channelArn, streamId, startTimeMs, health, viewerCount };
}

/** Takes the committed jobs out of the state, as the outbox relay does; a fan-out becomes one job for each channel. */
export async function takeJobs(state: SharedState): Promise<readonly JobRequest[]> {
  const jobs = Array.from(state.view.entries(kinds.job), ([, job]) => job);
  if (jobs.length > 0) {
    await state.transact((tx) => {
      for (const { jobId } of jobs) tx.delete(kinds.job.of(jobId));
    });
  }
  return jobs.flatMap(apart);
}
