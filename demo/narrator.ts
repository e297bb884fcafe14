// Tells the evening in plain lines: what happens, and what the daemon notices, decides (including when it does not act, and why) and does.
import type { Decision } from '#domain/decision.ts';
import { formatDuration } from '#domain/duration.ts';
import type { StreamChange } from '#domain/stream-record.ts';
import { visibleLine } from '#domain/visible-text.ts';
import type { CallRecord, CueRecord } from '#simulator/client.ts';
import type { Committed } from '#src/pipeline.ts';

const width = 9;
const worthTelling = new Set([
  'StopStream',
  'UpdateChannel',
  'CreateStreamKey',
  'DeleteStreamKey',
  'TagResource',
  'InsertAdBreak',
]);

export class Narrator {
  #startedAt = performance.now();
  readonly #colour: boolean;
  readonly #names: ReadonlyMap<string, string>;
  readonly #senders: Readonly<Record<string, string>>;
  /** Decisions in dry run that have not been told yet: of what, for which channels. */
  readonly #wouldAct = new Map<string, string[]>();
  /** What waits for its time or for an approval, by rule and group. */
  readonly #pending = new Map<string, string>();
  #decidedAt = performance.now();
  readonly counts = { observations: new Map<string, number>(), decisions: new Map<string, number>() };

  /** @param options names of channels by their ARNs; by the `type` of a payload, who sends it */
  constructor(options: {
    readonly names: ReadonlyMap<string, string>;
    readonly senders: Readonly<Record<string, string>>;
    readonly colour: boolean;
  }) {
    const { names, senders, colour } = options;
    this.#names = names;
    this.#senders = senders;
    this.#colour = colour;
  }

  /** The evening begins now. */
  begin(): void {
    this.#startedAt = performance.now();
  }

  /** What happens in the world. */
  world(text: string): void {
    this.#line('happens', 36, text);
  }

  did(text: string): void {
    this.#line('does', 32, text);
  }

  /** What waits for its time or for an approval. */
  get pending(): readonly string[] {
    return [...this.#pending.values()];
  }

  /** For how long nothing has been decided, ms. */
  get quietForMs(): number {
    return performance.now() - this.#decidedAt;
  }

  /** Notable calls, and accepted metadata, that reached IVS since the last time; and what was decided in dry run meanwhile. */
  called(calls: readonly CallRecord[], cues: readonly CueRecord[]): void {
    for (const { operation, channelArn, outcome } of calls) {
      const isCue = operation === 'PutMetadata' && outcome === 'ok';
      if (isCue || !(worthTelling.has(operation) || operation === 'PutMetadata')) continue;
      const place = channelArn === undefined ? '' : ` on ${this.#nameOf(channelArn)}`;
      this.did(`${operation}${place}${outcome === 'ok' ? '' : `: ${outcome}`}`);
    }
    const places = new Map<string, string[]>();
    for (const { channelArn, metadata } of cues)
      for (const payload of payloadsOf(metadata)) add(places, this.#sent(payload), this.#nameOf(channelArn));
    for (const [what, names] of places) this.did(`PutMetadata on ${listed(names)}: ${what}`);
    for (const [what, names] of this.#wouldAct)
      this.#line('decides', 33, `${what} for ${listed(names)}: only recorded, because the rule is in dry run`);
    this.#wouldAct.clear();
  }

  /** A payload, and the rule or batch that sends it. */
  #sent(payload: unknown): string {
    const type = typeof payload === 'object' && payload !== null && 'type' in payload ? String(payload.type) : '';
    return `${JSON.stringify(payload)} from ${this.#senders[type] ?? 'an unknown sender'}`;
  }

  /** The effects of one commit of the daemon. */
  committed({ changes, decisions, repeats }: Committed): void {
    if (repeats.length > 0) {
      count(this.counts.observations, 'event again', repeats.length);
      this.#line('notices', 35, `a repeated event, and ignores it`);
    }
    for (const change of changes) this.#noticed(change);
    for (const decision of decisions) this.#decided(decision);
  }

  #noticed(change: StreamChange): void {
    count(this.counts.observations, labelOf(change), 1);
    if (change.kind === 'stream') {
      const { before, after } = change;
      const entry = after.timeline.at(-1);
      const by = entry?.source === 'poll' ? 'by a poll' : 'by an event';
      const name = this.#nameOf(after.channelArn);
      const isNew = before?.streamId !== after.streamId;
      if (isNew || before?.state !== after.state) {
        // Dozens go live at once: only what is remarkable gets a line.
        if (after.state === 'live' && isNew && entry?.source === 'poll') {
          this.#line('notices', 35, `${name} is live, by a poll: no event has said so`);
        } else if (after.state === 'ended' || after.state === 'failed') {
          this.#line('notices', 35, `${name} ${after.state} (${by})`);
        }
      } else if (
        before &&
        before.health !== after.health &&
        (after.health === 'STARVING' || before.health === 'STARVING')
      ) {
        this.#line('notices', 35, `${name} ${healths[after.health]} (${by})`);
      }
    } else if (change.kind === 'data_gap') this.#line('notices', 35, `data of ${change.source}: gap ${change.state}`);
  }

  #decided(decision: Decision): void {
    const { rule, outcome, reason, jobs, channelArn, trigger } = decision;
    this.#decidedAt = performance.now();
    count(this.counts.decisions, outcome === 'acted' ? 'acted' : `${outcome}: ${reason}`, 1);
    const place = channelArn === undefined ? '' : ` for ${this.#nameOf(channelArn)}`;
    const lasted = formatDuration(Math.round((decision.atMs - trigger.sinceMs) / 1000) * 1000);
    const key = `${rule} ${decision.group}`;
    if (outcome === 'pending') this.#pending.set(key, `${rule}${place}`);
    else this.#pending.delete(key);
    switch (outcome) {
      case 'acted':
        return this.#line('decides', 33, `${rule}${place}: ${jobs.map(({ action }) => action).join(', ')}`);
      case 'resolved':
        return this.#line(
          'decides',
          33,
          `${rule}${place}: over${jobs.length > 0 ? `, ${jobs.map(({ action }) => action).join(', ')}` : ''}`,
        );
      case 'not_fired':
        if (reason === 'match_failed') return undefined;
        return this.#line('decides', 33, `${rule}${place}: not to act, ${reason} (${lasted})`);
      case 'suppressed':
        return this.#line('decides', 33, `${rule}${place}: held back, ${reason}`);
      case 'would_act':
        return add(
          this.#wouldAct,
          `${rule}: would do ${jobs.map(({ action }) => action).join(', ')}`,
          channelArn === undefined ? 'no channel' : this.#nameOf(channelArn),
        );
      case 'pending':
        return undefined;
    }
  }

  #nameOf(arn: string): string {
    return this.#names.get(arn) ?? arn.slice(arn.lastIndexOf('/') + 1);
  }

  #line(what: string, colour: number, text: string): void {
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(1).padStart(5);
    const label = what.padEnd(width);
    console.log(`${seconds} s  ${this.#colour ? `\u001b[${colour}m${label}\u001b[0m` : label}${visibleLine(text)}`);
  }
}

/** A stream that ends is not starving either: only HEALTHY says that it has recovered. */
const healths = {
  STARVING: 'is starving',
  HEALTHY: 'has recovered',
  UNKNOWN: 'is no longer listed as starving',
} as const;

/** The payloads in the metadata of one call. */
function payloadsOf(metadata: string): readonly unknown[] {
  const { items } = JSON.parse(metadata) as { readonly items: readonly { readonly d: unknown }[] };
  return items.map(({ d }) => d);
}

/** Names, or how many there are. */
function listed(names: readonly string[]): string {
  return names.length > 3 ? `${names.length} channels` : names.join(', ');
}

function add(lists: Map<string, string[]>, key: string, item: string): void {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  list.push(item);
}

function labelOf(change: StreamChange): string {
  if (change.kind === 'event') return 'event';
  if (change.kind === 'poll') return `poll, ${change.scope}`;
  return change.kind === 'stream' ? 'change of a stream' : change.kind;
}

function count(counts: Map<string, number>, label: string, by: number): void {
  counts.set(label, (counts.get(label) ?? 0) + by);
}
