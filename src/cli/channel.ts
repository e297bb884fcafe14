// `channel list|show`: the inventory of channels. Also registers the commands of the group that are in other files.
import type { Command } from 'commander';
import { dataOf } from '#client/client.ts';
import { callerText } from '#domain/person.ts';
import { systemClock } from '#runtime/clock.ts';
import { registerProvisioning } from './channel-provision.ts';
import { registerRefresh } from './channel-refresh.ts';
import { channelMeant, idOf, type KnownChannel, listChannels, named, tagsMeant } from './channels.ts';
import { tagsOption } from './options.ts';
import { type ApiClient, apiClient, type CliIo, CommandFailed, example, printData, table } from './support.ts';
import { type Line, toned } from './terminal.ts';
import { agoText, shortTime } from './times.ts';

interface ListFlags {
  readonly tag?: readonly string[];
  readonly text?: string;
  readonly json?: boolean;
}

export function register(program: Command, io: CliIo): void {
  const channel = program
    .command('channel')
    .description('channels: list, show, refresh, create and lease them')
    .addHelpText(
      'after',
      example(
        'ivs-autopilot channel list',
        'ivs-autopilot channel refresh studio-a',
        'ivs-autopilot channel provision cup-final --secret ivs/cup-final/stream-key',
      ),
    );
  channel
    .command('list')
    .description('list the channels with their settings and tags, as of the last listing')
    .addOption(tagsOption('--tag <key=value...>', 'only channels with these tags'))
    .option('--text <words>', 'only channels with these words in the name, the ARN or a tag (key=value)')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot channel list --tag tier=gold'))
    .action(async ({ tag = [], text = '', json }: ListFlags) => {
      const api = apiClient(io);
      const words = text.toLowerCase().split(/\s+/);
      const channels = (await listChannels(api)).filter(
        (each) =>
          tag.every((pair) => tagsOf(each).includes(pair)) && words.every((word) => textsOf(each).includes(word)),
      );
      if (channels.length === 0 && tag.length > 0)
        throw new CommandFailed(`No channel has ${tag.join(', ')}${await tagsMeant(api, tag)}.`);
      printData(io, json, { channels }, () => listLines(channels, io));
    });
  channel
    .command('show')
    .description('show one channel: settings, tags, holds, waiting actions, key and stream')
    .argument('<channel>', 'ARN, last part of the ARN, or name')
    .option('--json', 'print it as JSON')
    .addHelpText('after', example('ivs-autopilot channel show studio-a'))
    .action(async (given: string, { json }: { json?: boolean }) => {
      const api = apiClient(io);
      const found = await factsOf(api, channelMeant(await listChannels(api), given));
      printData(io, json, found, () => showLines(found));
    });
  registerRefresh(channel, io);
  registerProvisioning(channel, io);
}

async function factsOf(api: ApiClient, channel: KnownChannel) {
  const channelArn = channel.arn;
  const [{ record }, { holds }, { intents }, { keys }] = await Promise.all([
    api.client.GET('/v1/streams/{channelArn}', { params: { path: { channelArn } } }).then(dataOf),
    api.client.GET('/v1/holds').then(dataOf),
    api.client.GET('/v1/intents', { params: { query: { channelArn } } }).then(dataOf),
    api.client.GET('/v1/keys').then(dataOf),
  ]);
  const ofThis = (each: { channelArn: string }) => each.channelArn === channelArn;
  return {
    channel,
    stream: record,
    hold: holds.find(ofThis) ?? null,
    intents,
    key: keys.find(ofThis) ?? null,
  };
}

function listLines(channels: readonly KnownChannel[], io: CliIo): Line[] {
  if (channels.length === 0) return ['None.'];
  const rows = channels
    .toSorted((a, b) => named(a).localeCompare(named(b)))
    .map((each) => [
      named(each),
      idOf(each.arn),
      each.type,
      each.latencyMode,
      idOf(each.recordingConfigurationArn),
      tagsOf(each).join(' '),
    ]);
  return table([['NAME', 'ID', 'TYPE', 'LATENCY', 'RECORDING', 'TAGS'], ...rows], io);
}

function showLines({ channel, stream, hold, intents, key }: Awaited<ReturnType<typeof factsOf>>): Line[] {
  const { arn, name, tags: _, ...settings } = channel;
  const nowMs = systemClock.now();
  return [
    [{ text: name || idOf(arn), tone: 'strong' }, ` ${arn}`],
    `Tags: ${tagsOf(channel).join(', ') || 'none'}`,
    ...Object.entries(settings).map(
      ([setting, value]) => `  ${setting}: ${typeof value === 'string' ? value || 'none' : JSON.stringify(value)}`,
    ),
    stream
      ? [
          'Stream: ',
          toned(stream.state === 'live' ? stream.health : stream.state),
          ` for ${agoText(
            stream.state === 'live' ? stream.healthSince : stream.stateSince,
            nowMs,
          )} (${stream.streamId})`,
        ]
      : 'Stream: none known',
    hold
      ? [
          { text: 'On hold', tone: 'warn' },
          ` by ${callerText(hold.who)}${hold.until ? ` until ${shortTime(hold.until)}` : ''}: ${hold.reason}`,
        ]
      : 'No hold',
    ...intents.map(({ summary, since }) => `Waits for the end of the stream: ${summary}, since ${shortTime(since)}`),
    keyText(key),
  ];
}

function keyText(key: Awaited<ReturnType<typeof factsOf>>['key']): string {
  if (!key) return 'Stream key: unknown';
  const { rotatedAt, ageDays, deliveredTo } = key;
  if (rotatedAt === undefined) return `Stream key: at least ${ageDays} days old`;
  const where = deliveredTo === undefined ? '' : `, delivered to ${deliveredTo}`;
  return `Stream key: rotated ${shortTime(rotatedAt)}, ${ageDays} days ago${where}`;
}

function tagsOf({ tags }: KnownChannel): string[] {
  return Object.entries(tags).map(([key, value]) => `${key}=${value}`);
}

function textsOf(channel: KnownChannel): string {
  return [channel.name, channel.arn, ...tagsOf(channel)].join('\n').toLowerCase();
}
