// Which channels a batch goes to: resolved once, when it is accepted, with those left out and why. Reads the local copy only.
import { type Channel, type ChannelArn, parseChannelArn } from '#domain/channel.ts';
import type { StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import type { Skipped } from './batch.ts';

/** Exactly one of the three is set. */
export interface Targets {
  readonly channelArns?: readonly string[] | undefined;
  readonly live?: true | undefined;
  readonly tags?: Readonly<Record<string, readonly string[]>> | undefined;
}

export interface ResolvedTargets {
  readonly channelArns: readonly ChannelArn[];
  readonly skipped: readonly Skipped[];
}

const mostExamples = 20;

/** The shard's (account, Region), where known: channels of another one are skipped. */
export interface Home {
  readonly region?: string | undefined;
  readonly account?: string | undefined;
}

export interface ResolveOptions extends Home {
  /** Channels that are left out, whichever target chose them: those on hold, if automation sends the batch. */
  readonly spare?: ((channelArn: ChannelArn) => boolean) | undefined;
}

/**
 * - `channelArns`: those named, whether known and live or not: IVS itself decides.
 * - `live`: every channel with a live stream.
 * - `tags`: channels of the inventory whose tags match every key by any of its values (without a key, none); channels that are not live are
 *   skipped.
 */
export function resolveTargets(targets: Targets, view: StateView, options: ResolveOptions = {}): ResolvedTargets {
  const skipped = new SkippedList();
  const chosen: ChannelArn[] = [];
  if (targets.channelArns) {
    const seen = new Set<ChannelArn>();
    for (const text of targets.channelArns) {
      const parsed = parseChannelArn(text);
      if (!parsed || isElsewhere(parsed, options)) skipped.add('other_account_or_region', text);
      else if (seen.has(parsed.arn)) skipped.add('duplicate', text);
      else {
        seen.add(parsed.arn);
        chosen.push(parsed.arn);
      }
    }
  } else if (targets.live) {
    for (const [, record] of view.entries(kinds.stream)) if (record.state === 'live') chosen.push(record.channelArn);
  } else if (targets.tags) {
    const wanted = Object.entries(targets.tags);
    // Every channel would match an empty set of tags, and nobody means that.
    for (const [, channel] of view.entries(kinds.channel)) {
      if (wanted.length === 0 || !wanted.every(([key, values]) => values.includes(ownTag(channel, key) ?? '\0')))
        continue;
      if (view.get(kinds.stream.of(channel.arn))?.state === 'live') chosen.push(channel.arn);
      else skipped.add('not_live', channel.arn);
    }
  }
  const { spare } = options;
  const channelArns = chosen.filter((arn) => {
    const isSpared = spare?.(arn) === true;
    if (isSpared) skipped.add('held', arn);
    return !isSpared;
  });
  return { channelArns, skipped: skipped.list() };
}

/** Returns whether a channel belongs to another (account, Region) than the shard. */
export function isElsewhere(parsed: { region: string; account: string }, home: Home): boolean {
  return (
    (home.region !== undefined && parsed.region !== home.region) ||
    (home.account !== undefined && parsed.account !== home.account)
  );
}

function ownTag(channel: Channel, key: string): string | undefined {
  return Object.hasOwn(channel.tags, key) ? channel.tags[key] : undefined;
}

class SkippedList {
  readonly #byReason = new Map<Skipped['reason'], { count: number; examples: string[] }>();

  add(reason: Skipped['reason'], channel: string): void {
    const entry = this.#byReason.get(reason) ?? { count: 0, examples: [] };
    entry.count += 1;
    if (entry.examples.length < mostExamples) entry.examples.push(channel);
    this.#byReason.set(reason, entry);
  }

  list(): Skipped[] {
    return Array.from(this.#byReason, ([reason, entry]) => ({ reason, ...entry }));
  }
}
