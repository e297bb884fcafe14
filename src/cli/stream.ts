// `stream list|show|stop`: live and past streams.
import type { Command } from 'commander';
import { type Answer, dataOf } from '#client/client.ts';
import { streamHealths } from '#domain/channel.ts';
import { endText } from '#domain/stream-end.ts';
import { streamStates } from '#domain/stream-record.ts';
import { systemClock } from '#runtime/clock.ts';
import { idOf, named, resolveChannel } from './channels.ts';
import { choiceOption, countOption } from './options.ts';
import { gathered, given } from './pages.ts';
import { registerStop } from './stream-stop.ts';
import { type ApiClient, apiClient, type CliIo, example, printData, table } from './support.ts';
import { type Cell, type Line, toned } from './terminal.ts';
import { agoText, shortTime } from './times.ts';

type StreamList = Answer<'listStreams'>;
type Stream = StreamList['streams'][number];
type Story = Answer<'getStream'>;

interface ListFlags {
  readonly state: 'live' | 'created' | 'ended' | 'failed' | 'any' | 'over';
  readonly health?: Stream['health'];
  readonly text?: string;
  readonly limit?: number;
  readonly json?: boolean;
}

/** `over` may include every session of several weeks. */
const overUnlessSaid = 50;
const mostStreams = 100_000;

export function register(program: Command, io: CliIo): void {
  const stream = program
    .command('stream')
    .description('live and past streams: list, show and stop them')
    .addHelpText(
      'after',
      example('ivs-autopilot stream list', 'ivs-autopilot stream stop studio-a --reason "rights ended"'),
    );
  stream
    .command('list')
    .description('list the live streams, the worst first, or those in another state')
    .addOption(
      choiceOption('--state <state>', 'state; over lists ended and failed streams, including earlier sessions', [
        ...streamStates,
        'any',
        'over',
      ]).default('live'),
    )
    .addOption(choiceOption('--health <health>', 'only streams with this health', streamHealths))
    .option('--text <words>', 'only channels with these words in the name, the ARN or a tag (key=value)')
    .addOption(countOption('--limit <count>', 'maximum number of streams (default: all; 50 if over)', mostStreams))
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      example('ivs-autopilot stream list --health STARVING', 'ivs-autopilot stream list --state over --text studio'),
    )
    .action(async (flags: ListFlags) => {
      const answer = await listStreams(apiClient(io), flags);
      printData(io, flags.json, answer, () => listLines(answer, io));
      if (answer.stale.polls !== undefined)
        io.printError(`Out of date: no answer from ListStreams since ${answer.stale.polls}.`);
    });
  stream
    .command('show')
    .description('show one channel’s stream: its state, the source of each value, and its timeline')
    .argument('<channel>', 'ARN, last part of the ARN, or name')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot stream show studio-a'))
    .action(async (channel: string, { json }: { json?: boolean }) => {
      const api = apiClient(io);
      const channelArn = await resolveChannel(api, channel);
      const story = dataOf(await api.client.GET('/v1/streams/{channelArn}', { params: { path: { channelArn } } }));
      printData(io, json, story, () => showLines(channelArn, story, io));
    });
  registerStop(stream, io);
}

async function listStreams(api: ApiClient, flags: ListFlags): Promise<StreamList> {
  const { state, health, text, limit = state === 'over' ? overUnlessSaid : mostStreams } = flags;
  let last: StreamList | undefined;
  const { items, next } = await gathered(limit, async (after, most) => {
    const query = given({ state, health, text, after, limit: Math.min(most, 1000) });
    last = dataOf(await api.client.GET('/v1/streams', { params: { query } }));
    return { items: last.streams, next: last.next };
  });
  return { ...last!, streams: state === 'over' ? items : items.toSorted(worstFirst), ...given({ next }) };
}

const urgency: Readonly<Record<string, number>> = { STARVING: 0, UNKNOWN: 1, HEALTHY: 2 };

function worstFirst(a: Stream, b: Stream): number {
  const rank = ({ state, health }: Stream) => (state === 'failed' ? 0 : state === 'live' ? (urgency[health] ?? 1) : 3);
  return rank(a) - rank(b) || (b.viewerCount ?? 0) - (a.viewerCount ?? 0) || named(a).localeCompare(named(b));
}

function listLines({ streams, counts, next }: StreamList, io: CliIo): Line[] {
  if (streams.length === 0) return [`None; ${counts.live} streams are live on ${counts.channels} channels.`];
  const nowMs = systemClock.now();
  const isOver = streams.every(({ endedAt }) => endedAt !== undefined);
  const hasAds = streams.some(({ adBreak }) => adBreak !== undefined);
  const rows = streams.map((each): Cell[] =>
    isOver
      ? [
          named(each),
          toned(each.state),
          endedText(each),
          `${each.endedAtLatest ? 'at least ' : ''}${agoText(each.endedAt, nowMs)}`,
          endText(each),
          idOf(each.channelArn),
        ]
      : [
          named(each),
          toned(each.state),
          each.state === 'live' ? toned(each.health) : '',
          agoText(each.state === 'live' ? each.healthSince : each.stateSince, nowMs),
          String(each.viewerCount ?? ''),
          { text: each.recording, tone: each.recording === 'failed' ? 'bad' : undefined },
          agoText(each.startedAt, nowMs),
          ...(hasAds ? [each.adBreak ? `until ${shortTime(each.adBreak.endsAt).slice(11)}` : ''] : []),
          idOf(each.channelArn),
        ],
  );
  const heading = isOver
    ? ['NAME', 'STATE', 'ENDED', 'AGO', 'WHY', 'ID']
    : ['NAME', 'STATE', 'HEALTH', 'FOR', 'VIEWERS', 'RECORDING', 'AGE', ...(hasAds ? ['AD BREAK'] : []), 'ID'];
  return [
    ...table([heading, ...rows], io),
    ...(next === undefined ? [] : ['There are more; raise --limit to list them.']),
  ];
}

/** If no event reported when the stream ended, it ended at this time or earlier. */
function endedText({ endedAt = '', endedAtLatest }: Stream): string {
  return `${endedAtLatest ? 'by ' : ''}${shortTime(endedAt)}`;
}

function showLines(arn: string, { record, timeline, channel, sessions, stale }: Story, io: CliIo): Line[] {
  const nowMs = systemClock.now();
  const name = channel?.name || record?.channelName || idOf(arn);
  const tags = Object.entries(channel?.tags ?? {}).map(([key, value]) => `${key}=${value}`);
  return [
    [{ text: name, tone: 'strong' }, ` ${arn}`],
    ...(stale.polls === undefined ? [] : [[{ text: `Out of date since ${stale.polls}`, tone: 'bad' as const }]]),
    ...(tags.length === 0 ? [] : [`Tags: ${tags.join(', ')}`]),
    ...(record === null ? ['No session is known.'] : recordLines(record, nowMs)),
    ...section(
      'Timeline, newest first',
      timeline
        .toReversed()
        .map(({ eventTime, source, name: what, text }) => [shortTime(eventTime), source, what, text]),
      io,
    ),
    ...section(
      'Earlier sessions',
      sessions.map((each) => [
        each.streamId,
        toned(each.state),
        shortTime(each.startedAt ?? ''),
        endedText(each),
        endText(each),
      ]),
      io,
    ),
  ];
}

function recordLines(record: NonNullable<Story['record']>, nowMs: number): Line[] {
  const { state, stateSince, health, healthSince, viewerCount, recording, streamId, adBreak } = record;
  const why = endText(record);
  const viewers = viewerCount === undefined ? 'viewers unknown' : `${viewerCount} viewers`;
  return [
    [
      toned(state),
      ` for ${record.endedAtLatest ? 'at least ' : ''}${agoText(stateSince, nowMs)}${why === '' ? '' : `: ${why}`} (${streamId})`,
    ],
    ...(state === 'live' ? [[toned(health), ` for ${agoText(healthSince, nowMs)}, ${viewers}`] satisfies Line] : []),
    `Recording: ${recording}${record.recordingPrefix === undefined ? '' : ` ${record.recordingPrefix}`}`,
    ...(adBreak ? [`Ad break until ${adBreak.endsAt}`] : []),
    ...record.limitBreaches.map(
      ({ limitName, limitValue, exceededBy, limitUnit, at }): Line => [
        { text: `Limit breached: ${limitName}`, tone: 'warn' },
        ` (${[limitValue, limitUnit].filter((each) => each !== undefined).join(' ')}${
          exceededBy === undefined ? '' : `, exceeded by ${exceededBy}`
        }) at ${at}`,
      ],
    ),
    ...Object.entries(record.evidence).map(
      ([fact, { source, name, eventTime }]) => `  ${fact}: ${source} ${name} at ${shortTime(eventTime)}`,
    ),
  ];
}

function section(title: string, rows: readonly (readonly Cell[])[], { columns }: CliIo): Line[] {
  if (rows.length === 0) return [];
  const room = columns === undefined ? undefined : columns - 2;
  return ['', title, ...table(rows, { columns: room, headless: true }).map((line): Line => ['  ', ...cells(line)])];
}

function cells(line: Line): readonly Cell[] {
  return typeof line === 'string' ? [line] : line;
}
