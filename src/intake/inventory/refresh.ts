// Reads the channels: all of them in the background, or single ones on demand.
import { isDeepStrictEqual } from 'node:util';
import type { Lane } from '#domain/action.ts';
import type { Channel, ChannelArn, ListedChannel } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import type { InventoryObservation } from '#domain/observation.ts';
import type { StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { PageTokens } from '#runtime/page-tokens.ts';
import { type Home, strangersOf, strangersText } from '../home.ts';
import type { ChannelReader, Observe } from '../ports.ts';

export interface InventoryOptions {
  readonly reader: ChannelReader;
  readonly observe: Observe;
  /** What is known so far; known channels that a listing no longer shows are reported as removed. */
  readonly view: StateView;
  readonly now: () => number;
  /** The expected owner of the channels, from what is known now; undefined: anybody. */
  readonly home?: () => Home;
}

const pageTimeoutMs = 30_000;
/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_BatchGetChannel.html */
const mostInBatch = 50;

/**
 * Lists every channel; resolves with their number once the result is committed.
 * @throws AppError if a page failed, or shows channels of another owner: an incomplete listing allows no conclusion
 */
export async function refreshInventory(
  { reader, observe, view, now, home }: InventoryOptions,
  signal: AbortSignal,
): Promise<number> {
  const known = new Map(view.entries(kinds.channel));
  const listed = new Map<ChannelArn, Channel>();
  const tokens = new PageTokens('ListChannels');
  let nextToken: string | undefined;
  do {
    const request = nextToken === undefined ? {} : { nextToken };
    const page = await reader.listChannels(request, { lane: 'bulk', signal, waitMs: pageTimeoutMs });
    const before = listed.size;
    for (const channel of page.channels) listed.set(channel.arn, withKnown(channel, known.get(channel.arn)));
    nextToken = tokens.next(page.nextToken, { broughtNews: listed.size > before });
  } while (nextToken !== undefined);
  const expected = home?.();
  const strangers = strangersOf(expected, [...listed.keys()]);
  if (expected && strangers.length > 0)
    throw new AppError('IVS_ANSWER_INVALID', `ListChannels ${strangersText(expected, strangers)}`);
  const removed = Array.from(known.keys()).filter((arn) => !listed.has(arn));
  await observe({ ...inventory([...listed.values()], removed, now(), true), known });
  return listed.size;
}

/**
 * Reads, for every known channel, what a listing leaves out: `containerFormat` and `multitrackInputConfiguration`. Each batch is committed
 * by itself, so that a failing one undoes nothing. If the listing differs, the current value is taken, and the difference reported.
 * @throws AppError if a batch failed; what is known about its channels stays
 */
export async function readChannelDetails(
  { reader, observe, view, now }: InventoryOptions,
  signal: AbortSignal,
): Promise<DetailsRead> {
  const differs: ChannelDiffers[] = [];
  let checked = 0;
  const arns = Array.from(view.entries(kinds.channel), ([arn]) => arn);
  for (let first = 0; first < arns.length; first += mostInBatch) {
    const batch = arns.slice(first, first + mostInBatch);
    const known = new Map(
      batch.flatMap((arn) => {
        const channel = view.get(kinds.channel.of(arn));
        return channel ? [[arn, channel] as const] : [];
      }),
    );
    if (known.size === 0) continue;
    const found = await reader.getChannels([...known.keys()], { lane: 'bulk', signal, waitMs: pageTimeoutMs });
    const changed = found
      .map((channel) => withKnown(channel, known.get(channel.arn)))
      .filter((channel) => known.has(channel.arn) && !isDeepStrictEqual(channel, known.get(channel.arn)));
    if (changed.length > 0) await observe({ ...inventory(changed, [], now(), false), known });
    checked += found.length;
    for (const channel of changed) {
      const settings = differingSettings(known.get(channel.arn)!, channel);
      if (settings.length > 0) differs.push({ channelArn: channel.arn, settings });
    }
  }
  return { checked, differs };
}

export interface ChannelDiffers {
  readonly channelArn: ChannelArn;
  /** Names of the fields in which the listing differed. */
  readonly settings: readonly string[];
}

export interface DetailsRead {
  readonly checked: number;
  readonly differs: readonly ChannelDiffers[];
}

/** The fields that a listing contains. */
function differingSettings(listed: Channel, read: Channel): string[] {
  const unlisted = new Set(['arn', 'containerFormat', 'multitrackInputConfiguration']);
  const names = Object.keys({ ...listed, ...read }) as (keyof Channel)[];
  return names.filter((name) => !unlisted.has(name) && !isDeepStrictEqual(listed[name], read[name]));
}

/** Reads one channel now; undefined if it does not exist, and then it is also forgotten. */
export async function refreshChannel(
  { reader, observe, view, now }: InventoryOptions,
  arn: ChannelArn,
  signal: AbortSignal,
  /** A different lane and less time if a person waits for the answer. */
  { lane = 'normal', timeoutMs = pageTimeoutMs }: { readonly lane?: Lane; readonly timeoutMs?: number } = {},
): Promise<Channel | undefined> {
  let channel: Channel | undefined;
  try {
    const found = await reader.getChannel(arn, { lane, signal, waitMs: timeoutMs });
    channel = withKnown(found, view.get(kinds.channel.of(arn)));
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'IVS_NOT_FOUND')) throw error;
  }
  await observe(inventory(channel ? [channel] : [], channel ? [] : [arn], now(), false));
  return channel;
}

/**
 * Reads the channels that are live and not in the inventory: new ones, whose tags rules could not match until the next listing. Returns
 * how many there were. Does nothing before the first listing.
 */
export async function refreshUnlisted(options: InventoryOptions, signal: AbortSignal): Promise<number> {
  const { view } = options;
  const listed = view.count(kinds.channel);
  if (listed === 0) return 0;
  const unlisted: ChannelArn[] = [];
  for (const [arn, { state }] of view.entries(kinds.stream))
    if (state === 'live' && view.get(kinds.channel.of(arn)) === undefined) unlisted.push(arn);
  // Uses whichever takes fewer calls.
  if (unlisted.length > Math.ceil((listed + unlisted.length) / 100)) await refreshInventory(options, signal);
  else for (const arn of unlisted) await refreshChannel(options, arn, signal);
  return unlisted.length;
}

/**
 * A channel as returned; fields that the answer leaves out keep their known values, because a missing tag field does not mean that tags
 * were removed.
 */
function withKnown(told: ListedChannel, known: Channel | undefined): Channel {
  return { recordingConfigurationArn: '', tags: {}, ...known, ...told };
}

function inventory(channels: Channel[], removed: ChannelArn[], atMs: number, complete: boolean): InventoryObservation {
  return { kind: 'inventory', channels, removed, atMs, complete };
}
