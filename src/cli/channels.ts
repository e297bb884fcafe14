// Channels as an operator names them: by ARN, by the last part of the ARN, or by name.
import { dataOf } from '#client/client.ts';
import { type Channel, isChannelArn } from '#domain/channel.ts';
import { nearestName } from '#domain/nearest-name.ts';
import { gathered, given } from './pages.ts';
import { type ApiClient, CommandFailed } from './support.ts';

const mostCandidates = 10;

/** A channel as the inventory has it. */
export type KnownChannel = Channel;

/** Every channel the daemon knows. */
export async function listChannels(api: Pick<ApiClient, 'client'>): Promise<readonly KnownChannel[]> {
  const { items } = await gathered(Number.POSITIVE_INFINITY, async (after) => {
    const { channels, next } = dataOf(await api.client.GET('/v1/channels', { params: { query: given({ after }) } }));
    return { items: channels as unknown as readonly KnownChannel[], next };
  });
  return items;
}

/** The last part of an ARN. */
export function idOf(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}

/** What a person calls a channel: its name, or the last part of its ARN. */
export function named(channel: {
  readonly name?: string;
  readonly arn?: string;
  readonly channelName?: string;
  readonly channelArn?: string;
}): string {
  return channel.name || channel.channelName || idOf(channel.arn ?? channel.channelArn ?? '');
}

/** The ARN of the channel that a text means. @throws CommandFailed as `channelMeant` */
export async function resolveChannel(api: ApiClient, text: string): Promise<string> {
  if (isChannelArn(text)) return text;
  return channelMeant(await listChannels(api), text).arn;
}

/** The ARNs of the channels that the texts mean, each once, in their order. @throws CommandFailed as `channelMeant` */
export async function resolveChannels(api: ApiClient, texts: readonly string[]): Promise<readonly string[]> {
  const channels = texts.every(isChannelArn) ? [] : await listChannels(api);
  return [...new Set(texts.map((text) => (isChannelArn(text) ? text : channelMeant(channels, text).arn)))];
}

/** The one channel with this ARN, last part of the ARN, or name. @throws CommandFailed if there is no such channel, or several */
export function channelMeant(channels: readonly KnownChannel[], text: string): KnownChannel {
  const meant = channels.filter(({ arn, name }) => arn === text || arn.endsWith(`/${text}`) || name === text);
  if (meant.length === 1) return meant[0]!;
  if (meant.length > 1) {
    const shown = meant.slice(0, mostCandidates).map(({ arn }) => arn);
    const more = meant.length > shown.length ? ` and ${meant.length - shown.length} more` : '';
    throw new CommandFailed(
      `${meant.length} channels have the name ${text}; use one of these ARNs: ${shown.join(', ')}${more}.`,
    );
  }
  const near = nearestName(
    text,
    channels.flatMap(({ arn, name }) => [...(name === '' ? [] : [name]), idOf(arn)]),
  );
  throw new CommandFailed(
    `No channel has the ARN, id or name ${text}${near === undefined ? '' : ` (did you mean ${near}?)`}.`,
  );
}

/** ` (did you mean tier=platinum?)` for tags, written as key=value, that no channel has; empty if no tag is near. */
export async function tagsMeant(api: ApiClient, pairs: readonly string[]): Promise<string> {
  const channels = await listChannels(api).catch(() => []);
  const known = new Set(channels.flatMap(({ tags }) => Object.entries(tags).map(([key, value]) => `${key}=${value}`)));
  const meant = pairs.filter((pair) => !known.has(pair)).flatMap((pair) => nearestPair(pair, known) ?? []);
  return meant.length === 0 ? '' : ` (did you mean ${meant.join(', ')}?)`;
}

/** Searches for the value under its own key first, so that a long key does not hide a wrong value. */
function nearestPair(pair: string, known: ReadonlySet<string>): string | undefined {
  const at = pair.indexOf('=') + 1;
  const prefix = pair.slice(0, at);
  const values = [...known].filter((each) => each.startsWith(prefix)).map((each) => each.slice(at));
  const value = nearestName(pair.slice(at), values);
  return value === undefined ? nearestName(pair, known) : prefix + value;
}
