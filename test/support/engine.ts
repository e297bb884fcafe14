// The rules engine in virtual time: a manual clock, a state in memory, and changes as src/streams would report them.
import { parseConfig } from '#config/load.ts';
import type { ActionJob } from '#domain/action.ts';
import type { Answered, ApprovalSaid } from '#domain/approval.ts';
import type { Channel, ChannelArn, StreamHealth, StreamId } from '#domain/channel.ts';
import type { Decision } from '#domain/decision.ts';
import type { JobRequest } from '#domain/job.ts';
import { apart } from '#domain/metadata-fanout.ts';
import type { EventEnvelope } from '#domain/observation.ts';
import type { Ruleset } from '#domain/rule.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { StreamChange, StreamRecord } from '#domain/stream-record.ts';
import { waitingApprovals } from '#rules/approvals.ts';
import { type DecideOptions, decideAll, decideAnswer, decideDue, nextDueMs } from '#rules/decide.ts';
import { MemoryState } from '#store/memory-state.ts';
import { foldStream } from './stream-fold.ts';

export const epochMs = Date.UTC(2026, 10, 20, 12, 0, 0);

export const arnOf = (name: string): ChannelArn => `arn:aws:ivs:us-west-2:111122223333:channel/${name}` as ChannelArn;

/** Compiles the text of a rules file; throws with every problem. */
export function rulesetOf(text: string): Ruleset {
  const result = parseConfig(`version: 1\n${text}`, 'rules.yaml');
  if (!result.ok) throw new Error(result.problems.map((problem) => JSON.stringify(problem)).join('\n'));
  return result.config.ruleset;
}

/** A file with one rule, `slate`, about starving channels; guards and the rest are added as YAML. */
export function slateRules(more: string, actions = '[{put_metadata: {payload: slate}}]'): string {
  return `
receivers: [{name: noc, webhook_configs: [{url: "https://noc.example/hook", send_resolved: false}]}]
rules:
  - name: slate
    mode: enforce
    trigger: {state: {health: [STARVING]}}
    actions: ${actions}
    ${more}
`;
}

export class Engine {
  readonly state: MemoryState;
  ruleset: Ruleset;
  options: DecideOptions = {};
  nowMs = epochMs;
  /** All decisions, oldest first. */
  readonly decisions: Decision[] = [];
  /** All enqueued jobs, oldest first. */
  readonly jobs: (JobRequest & { readonly payload: ActionJob & Record<string, unknown>; readonly atMs: number })[] = [];
  #streams = 0;
  #events = 0;

  constructor(rules: string | Ruleset) {
    this.ruleset = typeof rules === 'string' ? rulesetOf(rules) : rules;
    this.state = new MemoryState({ now: () => this.nowMs });
  }

  /** Seconds since the beginning. */
  get seconds(): number {
    return (this.nowMs - epochMs) / 1000;
  }

  async commit(
    body: (tx: Transaction) => readonly Decision[],
    dedupIds: readonly string[] = [],
  ): Promise<readonly Decision[]> {
    const decided = await this.state.transact(
      (tx) => (dedupIds.some((dedupId) => tx.isRepeat(dedupId)) ? [] : body(tx)),
      {
        dedupIds,
      },
    );
    this.decisions.push(...decided);
    const taken: string[] = [];
    for (const [id, request] of this.state.view.entries(kinds.job)) {
      taken.push(id);
      for (const job of apart(request))
        this.jobs.push({ ...job, payload: job.payload as ActionJob & Record<string, unknown>, atMs: this.nowMs });
    }
    await this.state.transact((tx) => taken.forEach((id) => tx.delete(kinds.job.of(id))));
    return decided;
  }

  decide(...changes: readonly StreamChange[]): Promise<readonly Decision[]> {
    return this.commit((tx) => decideAll(tx, changes, this.ruleset, this.options));
  }

  async due(): Promise<void> {
    await this.commit((tx) => decideDue(tx, this.ruleset, this.options));
  }

  /** A person says yes or no to the first action that waits for it, or to the named one. */
  async answer(
    kind: ApprovalSaid['kind'],
    { id, who = 'token ann', role = 'operator' }: { id?: string; who?: string; role?: ApprovalSaid['role'] } = {},
  ): Promise<Answered> {
    const said: ApprovalSaid = {
      kind,
      id: id ?? waitingApprovals(this.state.view)[0]?.id ?? 'none',
      who,
      role,
      from: '198.51.100.7',
      reason: 'looked at it',
    };
    let answered: Answered | undefined;
    await this.commit((tx) => {
      const judged = decideAnswer(tx, said, this.ruleset, this.options);
      answered = judged.answered;
      return judged.decisions;
    });
    return answered!;
  }

  /** Lets time pass, stopping wherever something is due. */
  async goTo(seconds: number): Promise<void> {
    const untilMs = Math.round(epochMs + seconds * 1000);
    for (;;) {
      const nextMs = nextDueMs(this.state.view);
      if (nextMs === undefined || nextMs > untilMs) break;
      const isLate = nextMs <= this.nowMs;
      this.nowMs = Math.max(this.nowMs, nextMs);
      await this.due();
      // A replica in its warm-up leaves due items alone.
      if (isLate && nextDueMs(this.state.view) === nextMs) break;
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
    await this.due();
  }

  async channel(name: string, tags: Record<string, string> = {}): Promise<void> {
    const channel: Channel = {
      arn: arnOf(name),
      name,
      type: 'STANDARD',
      latencyMode: 'LOW',
      recordingConfigurationArn: '',
      tags,
    };
    await this.commit((tx) => {
      tx.set(kinds.channel.of(channel.arn), channel);
      const change: StreamChange = { kind: 'inventory', channelArns: [channel.arn], atMs: this.nowMs };
      return decideAll(tx, [change], this.ruleset, this.options);
    });
  }

  /** Changes the record of a channel's stream, and judges the change. */
  stream(name: string, change: Partial<StreamRecord>): Promise<readonly Decision[]> {
    return this.streams([[name, change]]);
  }

  streams(all: readonly (readonly [name: string, change: Partial<StreamRecord>])[]): Promise<readonly Decision[]> {
    return this.commit((tx) =>
      decideAll(
        tx,
        all.map(([name, change]) => foldStream(tx, arnOf(name), change)),
        this.ruleset,
        this.options,
      ),
    );
  }

  /** A new session goes live. */
  goLive(name: string, health: StreamHealth = 'HEALTHY'): Promise<readonly Decision[]> {
    this.#streams += 1;
    const streamId = `st-${String(this.#streams).padStart(23, '0')}` as StreamId;
    return this.stream(name, { streamId, state: 'live', health, startedAtMs: this.nowMs, viewerCount: undefined });
  }

  health(name: string, health: StreamHealth): Promise<readonly Decision[]> {
    return this.stream(name, { health });
  }

  endStream(name: string): Promise<readonly Decision[]> {
    return this.stream(name, { state: 'ended', endedAtMs: this.nowMs });
  }

  /** An event of IVS about a channel, or about the account. */
  async event(
    name: string | undefined,
    detailType: string,
    detail: Record<string, unknown>,
    { id, ageMs = 0, envelope: told = {} }: { id?: string; ageMs?: number; envelope?: Partial<EventEnvelope> } = {},
  ): Promise<readonly Decision[]> {
    this.#events += 1;
    const eventId = id ?? `event-${this.#events}`;
    const channelArn = name === undefined ? undefined : arnOf(name);
    return this.commit(
      (tx) => {
        const record = channelArn && tx.get(kinds.stream.of(channelArn));
        const envelope: EventEnvelope = {
          id: eventId,
          'detail-type': detailType,
          source: 'aws.ivs',
          account: '111122223333',
          time: new Date(this.nowMs - ageMs).toISOString(),
          region: 'us-west-2',
          resources: channelArn ? [channelArn] : [],
          detail: record ? { stream_id: record.streamId, ...detail } : detail,
          ...told,
        };
        const observation = {
          kind: 'event' as const,
          envelope,
          channelArn,
          eventTimeMs: this.nowMs - ageMs,
          arrivedAtMs: this.nowMs,
        };
        return decideAll(tx, [{ kind: 'event', observation, record, atMs: this.nowMs }], this.ruleset, this.options);
      },
      [`event:${eventId}`],
    );
  }

  poll(complete = true): Promise<readonly Decision[]> {
    return this.decide({ kind: 'poll', scope: 'all', complete, atMs: this.nowMs });
  }

  /** `unseenMs`: how long ago the last data came when the gap is noticed. */
  gap(state: 'began' | 'ended', source: 'poll' | 'events' = 'poll', unseenMs = 0): Promise<readonly Decision[]> {
    return this.decide({ kind: 'data_gap', source, state, sinceMs: this.nowMs - unseenMs, atMs: this.nowMs });
  }

  /** Enqueued actions, with the second and the last part of the channel's ARN: `30 stop_stream a`. */
  get log(): string[] {
    return this.jobs.map(
      ({ name, payload, atMs }) => `${(atMs - epochMs) / 1000} ${name} ${payload.channelArn?.split('/')[1] ?? '-'}`,
    );
  }

  /** The decisions: `22 not_fired for_not_reached a`. */
  get story(): string[] {
    return this.decisions.map(
      ({ atMs, outcome, reason, channelArn }) =>
        `${(atMs - epochMs) / 1000} ${outcome} ${reason} ${channelArn?.split('/')[1] ?? '-'}`,
    );
  }
}
