// A small Amazon IVS in virtual time, noticed and judged by the daemon's own code: what happens to a channel arrives as polls and
// events, is folded into records, and the rules decide. Jobs are collected, not run. Used by `test` and `replay`.
import type { ActionJob } from '#domain/action.ts';
import { type Channel, type ChannelArn, channelIdOf, type StreamHealth, type StreamId } from '#domain/channel.ts';
import type { Decision } from '#domain/decision.ts';
import type { JobRequest } from '#domain/job.ts';
import type { EventEnvelope, Observation } from '#domain/observation.ts';
import type { Ruleset } from '#domain/rule.ts';
import type { Transaction } from '#domain/shared-state.ts';
import type { StreamRecord } from '#domain/stream-record.ts';
import { decideAll, decideDue, nextDueMs } from '#rules/decide.ts';
import { freshStreamFacts, streamFacts } from '#rules/facts.ts';
import { matcherOf } from '#rules/pattern.ts';
import { MemoryState } from '#store/memory-state.ts';
import { applyObservation, splitObservation } from '#streams/apply.ts';

export const trialAccount = '111122223333';
export const trialRegion = 'us-west-2';

/** A job that the rules asked for, in virtual time. */
export interface PlannedJob {
  readonly atMs: number;
  readonly rule: string;
  readonly channelArn: string | undefined;
  readonly action: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** `only_if` does not match the stream as it is at this moment: the worker would skip it. */
  readonly skipped: boolean;
}

interface LiveStream {
  readonly streamId: StreamId;
  readonly startTimeMs: number;
  health: StreamHealth;
}

interface VirtualChannel {
  channel: Channel;
  viewerCount: number;
  stream: LiveStream | undefined;
  /** The last stream that ended. */
  last: StreamId | undefined;
}

/** How a change is noticed: as in life by both, or by one of them only. */
export type NoticedBy = 'both' | 'poll' | 'event';

const retentionMs = 60 * 86_400_000;
/** A guard against rules that never come to rest. */
const maxTicksPerMoment = 10_000;

export class VirtualWorld {
  readonly state: MemoryState;
  readonly decisions: Decision[] = [];
  readonly jobs: PlannedJob[] = [];
  readonly channels = new Map<ChannelArn, VirtualChannel>();
  #ruleset: Ruleset;
  #nowMs: number;
  #made = 0;
  #events: Observation[] = [];
  #pollNeeded = true;

  constructor({ ruleset, startMs }: { ruleset: Ruleset; startMs: number }) {
    this.#ruleset = ruleset;
    this.#nowMs = startMs;
    this.state = new MemoryState({ now: () => this.#nowMs });
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Adds channels, or changes their tags; noticed at once by the inventory. */
  async setChannels(channels: readonly { channel: Channel; viewerCount?: number }[]): Promise<void> {
    for (const { channel, viewerCount } of channels) {
      const known = this.channels.get(channel.arn);
      if (known) known.channel = channel;
      else
        this.channels.set(channel.arn, { channel, viewerCount: viewerCount ?? 0, stream: undefined, last: undefined });
    }
    const inventory = Array.from(this.channels.values(), ({ channel }) => channel);
    await this.observe({ kind: 'inventory', channels: inventory, removed: [], atMs: this.#nowMs, complete: true });
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

  /** An event arrives, `lateMs` after it happened; what it says is true. Noticed at the next `flush`. */
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
      id: `trial-${this.#made}`,
      'detail-type': detailType,
      source: 'aws.ivs',
      account: trialAccount,
      time: new Date(eventTimeMs).toISOString(),
      region: trialRegion,
      resources: arn === undefined ? [] : [arn],
      ...envelope,
      detail: {
        ...(channel ? { channel_name: channel.channel.name } : {}),
        ...(streamId === undefined ? {} : { stream_id: streamId }),
        ...detail,
      },
    };
    this.#events.push({ kind: 'event', envelope: full, channelArn: arn, eventTimeMs, arrivedAtMs: this.#nowMs });
  }

  /** Makes true what an event that stands alone says, so that later polls agree with it. */
  believeEvent(arn: ChannelArn, name: string): void {
    const channel = this.#channel(arn);
    if ((name === 'Stream Start' || name === 'Session Created') && !channel.stream) this.#start(channel);
    if (name === 'Stream End' || name === 'Session Ended') this.#end(channel);
    if (channel.stream && name === 'Starvation Start') channel.stream.health = 'STARVING';
    if (channel.stream && name === 'Starvation End') channel.stream.health = 'HEALTHY';
  }

  /** Lets the daemon notice what has changed: events first, then one complete poll if anything needs it. */
  async flush(): Promise<void> {
    const events = this.#events;
    this.#events = [];
    for (const event of events) await this.observe(event);
    if (!this.#pollNeeded) return;
    this.#pollNeeded = false;
    this.#made += 1;
    await this.observe({
      kind: 'poll',
      scope: 'all',
      pollId: `poll-${this.#made}`,
      startedAtMs: this.#nowMs,
      finishedAtMs: this.#nowMs,
      complete: true,
      streams: Array.from(this.channels.values()).flatMap(({ channel, viewerCount, stream }) =>
        stream ? [{ channelArn: channel.arn, ...stream, viewerCount }] : [],
      ),
    });
  }

  /** One observation through the daemon's own stages. A repeat of an event is not observed. */
  async observe(observation: Observation): Promise<void> {
    const claims = observation.kind === 'event' ? [`event:${observation.envelope.id}`] : [];
    for (const piece of splitObservation(observation)) {
      await this.commit(
        (tx) =>
          claims.some((claim) => tx.isRepeat(claim))
            ? []
            : decideAll(tx, applyObservation(tx, piece, { retentionMs }), this.#ruleset),
        claims,
      );
    }
  }

  /** A transaction that is not an observation: holds, silences, pauses. */
  async commit(body: (tx: Transaction) => readonly Decision[], claims: readonly string[] = []): Promise<void> {
    this.decisions.push(...(await this.state.transact(body, { claims })));
    const jobs = [...this.state.view.entries<JobRequest>('job')];
    if (jobs.length === 0) return;
    await this.state.transact((tx) => {
      for (const [id] of jobs) tx.delete(`job/${id}`);
    });
    for (const [, job] of jobs) this.jobs.push(this.#planned(job.payload as unknown as ActionJob));
  }

  /** Lets time pass, deciding whenever something is due. */
  async advanceTo(targetMs: number): Promise<void> {
    let ticks = 0;
    for (;;) {
      const dueMs = nextDueMs(this.state.view);
      if (dueMs === undefined || dueMs > targetMs) break;
      if (dueMs > this.#nowMs) ticks = 0;
      this.#nowMs = Math.max(this.#nowMs, dueMs);
      await this.commit((tx) => decideDue(tx, this.#ruleset));
      ticks += 1;
      if (ticks > maxTicksPerMoment) throw new Error('the rules do not come to rest');
    }
    this.#nowMs = Math.max(this.#nowMs, targetMs);
    await this.commit((tx) => decideDue(tx, this.#ruleset));
  }

  /** From now on these rules decide. */
  useRuleset(ruleset: Ruleset): void {
    this.#ruleset = ruleset;
  }

  #planned(job: ActionJob): PlannedJob {
    const { action, params, channelArn, cause, onlyIf } = job;
    return {
      atMs: this.#nowMs,
      rule: cause.kind === 'rule' ? cause.rule : '',
      channelArn,
      action,
      params: { ...params },
      skipped: onlyIf !== undefined && channelArn !== undefined && !matcherOf(onlyIf).match(this.#fresh(channelArn)),
    };
  }

  /** What GetStream would say right now. */
  #fresh(channelArn: string): object {
    const known = this.channels.get(channelArn as ChannelArn);
    const record = this.state.view.get<StreamRecord>(`stream/${channelArn}`);
    // A replay knows no more than its records.
    if (!known) return streamFacts(record);
    const { stream, viewerCount } = known;
    return freshStreamFacts(stream && { ...stream, viewerCount }, record);
  }

  #channel(arn: ChannelArn): VirtualChannel {
    const channel = this.channels.get(arn);
    if (!channel) throw new RangeError(`unknown channel ${channelIdOf(arn)}`);
    return channel;
  }

  #start(channel: VirtualChannel): void {
    this.#made += 1;
    const streamId = `st-${String(this.#made).padStart(23, '0')}` as StreamId;
    channel.stream = { streamId, startTimeMs: this.#nowMs, health: 'HEALTHY' };
  }

  #end(channel: VirtualChannel): void {
    channel.last = channel.stream?.streamId ?? channel.last;
    channel.stream = undefined;
  }
}
