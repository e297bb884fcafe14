// Tells the evening in plain lines: what happens, and what the daemon notices, decides (including when it does not act, and why) and does.
import type { Decision } from '#domain/decision.ts';
import { formatDuration } from '#domain/duration.ts';
import type { StreamChange } from '#domain/stream-record.ts';
import { visibleLine } from '#domain/visible-text.ts';
import type { CallRecord } from '#simulator/client.ts';
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
  readonly counts = { observations: new Map<string, number>(), decisions: new Map<string, number>() };

  constructor({ names, colour }: { names: ReadonlyMap<string, string>; colour: boolean }) {
    this.#names = names;
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

  /** Notable calls that reached IVS since the last time. */
  called(calls: readonly CallRecord[]): void {
    for (const { operation, channelArn, outcome } of calls) {
      if (!worthTelling.has(operation)) continue;
      const place = channelArn === undefined ? '' : ` on ${this.#nameOf(channelArn)}`;
      this.did(`${operation}${place}${outcome === 'ok' ? '' : `: ${outcome}`}`);
    }
    const cues = calls.filter(({ operation, outcome }) => operation === 'PutMetadata' && outcome === 'ok');
    if (cues.length > 3) this.did(`PutMetadata on ${cues.length} channels`);
    else for (const { channelArn } of cues) this.did(`PutMetadata on ${this.#nameOf(channelArn ?? '')}`);
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
        this.#line('notices', 35, `${name} ${after.health === 'STARVING' ? 'is starving' : 'has recovered'} (${by})`);
      }
    } else if (change.kind === 'data_gap') this.#line('notices', 35, `data of ${change.source}: gap ${change.state}`);
  }

  #decided(decision: Decision): void {
    const { rule, outcome, reason, jobs, channelArn, trigger } = decision;
    count(this.counts.decisions, outcome === 'acted' ? 'acted' : `${outcome}: ${reason}`, 1);
    const place = channelArn === undefined ? '' : ` for ${this.#nameOf(channelArn)}`;
    const lasted = formatDuration(Math.round((decision.atMs - trigger.sinceMs) / 1000) * 1000);
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

function labelOf(change: StreamChange): string {
  if (change.kind === 'event') return 'event';
  if (change.kind === 'poll') return `poll, ${change.scope}`;
  return change.kind === 'stream' ? 'change of a stream' : change.kind;
}

function count(counts: Map<string, number>, label: string, by: number): void {
  counts.set(label, (counts.get(label) ?? 0) + by);
}
