// Channels as an operator names them: by ARN, by the last part of the ARN, or by name.
import { type Channel, isChannelArn } from '#domain/channel.ts';
import { nearestName } from '#domain/nearest-name.ts';
import { type ApiClient, CommandFailed } from './support.ts';

/** Every channel the daemon knows. */
export async function listChannels(api: ApiClient): Promise<readonly Channel[]> {
  const channels: Channel[] = [];
  let after: string | undefined;
  do {
    const query = after === undefined ? '' : `?after=${encodeURIComponent(after)}`;
    const page = (await api.get(`/v1/channels${query}`)) as { channels: Channel[]; next?: string };
    channels.push(...page.channels);
    after = page.next;
  } while (after !== undefined);
  return channels;
}

/** The ARN of the one channel that is meant. */
export async function resolveChannel(api: ApiClient, text: string): Promise<string> {
  if (isChannelArn(text)) return text;
  const channels = await listChannels(api);
  const meant = channels.filter(({ arn, name }) => arn.endsWith(`/${text}`) || name === text);
  if (meant.length === 1) return meant[0]!.arn;
  if (meant.length > 1) {
    throw new CommandFailed(
      `${meant.length} channels are called ${text}; give one of these ARNs: ${meant.map(({ arn }) => arn).join(', ')}.`,
    );
  }
  const near = nearestName(
    text,
    channels.flatMap(({ arn, name }) => [...(name === '' ? [] : [name]), arn.slice(arn.lastIndexOf('/') + 1)]),
  );
  throw new CommandFailed(
    `No channel has the ARN, id or name ${text}${near === undefined ? '' : ` (did you mean ${near}?)`}.`,
  );
}
