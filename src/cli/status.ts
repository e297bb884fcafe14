// `status`: everything on one screen: whether the data can be trusted, what is live, held back, or needs a person. The page's own figures.
import type { Command } from 'commander';
import type { AccountLine } from '#api/account-lines.ts';
import type { LiveStatus } from '#api/live/status.ts';
import { formatDuration } from '#domain/duration.ts';
import { callerText } from '#domain/person.ts';
import { pictureText } from '#domain/picture.ts';
import { apiClient, type CliIo, CommandFailed, example, printData, table } from './support.ts';
import { type Cell, indented, type Line, toned } from './terminal.ts';

export function register(program: Command, io: CliIo): void {
  program
    .command('status')
    .description('show what is live, what the rules do, what is held back, and what needs a person')
    .option('--json', 'print it as JSON')
    .addHelpText('after', example('ivs-autopilot status') + '\nThe exit code is 1 while the data is stale.\n')
    .action(async ({ json }: { json?: boolean }) => {
      const status = (await apiClient(io).firstEvent('/v1/live', 'status')) as LiveStatus;
      printData(io, json, status, () => linesOf(status, io));
      if (!status.stale) return;
      const section = status.picture?.kind === 'refuses' ? 'redis-refuses' : 'redis-does-not-answer';
      const where = status.picture ? ` What to do: docs/operations.md#${section}` : '';
      throw new CommandFailed(json ? '' : `The data is stale: nothing acts until it is back.${where}`);
    });
}

const accountWords: Readonly<Record<AccountLine['state'], string>> = {
  carried: 'carried',
  partly: 'carried in part',
  not_carried: 'carried by nobody',
  unknown: 'not known',
};

/** The screen, line by line. */
export function linesOf(status: LiveStatus, { columns }: Pick<CliIo, 'columns'> = {}): Line[] {
  const { counts, pause, picture, config, nowMs } = status;
  const ago = (ms: number) => `${seconds(nowMs - ms)} ago`;
  return [
    ...(picture ? [[{ text: pictureText(picture, nowMs), tone: 'bad' } as const]] : []),
    [
      `${counts.live} live of ${counts.channels} channels: `,
      { text: `${counts.starving} starving`, tone: counts.starving > 0 ? 'bad' : undefined },
      ', ',
      { text: `${counts.unknown} unknown`, tone: counts.unknown > 0 ? 'warn' : undefined },
      `, ${counts.held} on hold`,
    ],
    ...(status.standby
      ? [[{ text: 'STANDBY', tone: 'warn' } as const, ': it does nothing until `ivs-autopilot activate`']]
      : []),
    pause
      ? [
          { text: 'PAUSED', tone: 'bad' },
          ` ${ago(pause.sinceMs)} by ${callerText(pause.who)}: ${pause.reason}`,
          pause.onlyHere ? '; only the replica that answers knows, until Redis can be written' : '',
        ]
      : 'Automation is on',
    `Configuration ${config.hash}, loaded ${ago(config.loadedAtMs)}${config.error === undefined ? '' : `; the file on disk is refused: ${config.error}`}`,
    ...section(
      'Needs you',
      status.needs.map(({ severity, title, cause }) => [toned(severity), title, cause]),
      columns,
    ),
    ...section(
      'Accounts',
      (status.accounts ?? []).map(({ name, region, state, here, carriers }) => [
        name,
        region,
        { text: accountWords[state], tone: state === 'carried' ? undefined : state === 'unknown' ? 'warn' : 'bad' },
        [
          ...(here ? ['this process'] : []),
          ...carriers.map(({ id, host = '', role }) => `${host} ${id} ${role}`.trim()),
        ].join(', '),
      ]),
      columns,
    ),
    ...section(
      'Silences',
      status.silences.map(({ id, matchers, who, reason, untilMs }) => [
        id,
        matchers.join(' '),
        `${seconds(untilMs - nowMs)} left`,
        `${callerText(who)}: ${reason}`,
      ]),
      columns,
    ),
    ...section(
      'Rules',
      status.rules.map((rule) => [
        rule.name,
        rule.mode,
        { text: stateOf(rule), tone: rule.capped ? 'bad' : undefined },
      ]),
      columns,
    ),
    ...section(
      'Sources',
      status.trust.map(({ name, state, text, atMs }) => [
        name,
        { text: state, tone: state === 'ok' ? 'good' : 'bad' },
        atMs === undefined ? text : `${text} ${ago(atMs)}`,
      ]),
      columns,
    ),
  ];
}

function stateOf({ mode, capped, firing, heldBack, pending, cooling }: LiveStatus['rules'][number]): string {
  if (mode === 'off') return '';
  const parts = [
    capped ? 'stopped by its cap' : '',
    firing > 0 ? `${firing} firing` : '',
    heldBack > 0 ? `${heldBack} held back` : '',
    pending > 0 ? `${pending} pending` : '',
    cooling > 0 ? `${cooling} cooling down` : '',
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'idle' : parts.join(', ');
}

function section(title: string, rows: readonly (readonly Cell[])[], columns: number | undefined): Line[] {
  if (rows.length === 0) return [];
  const room = columns === undefined ? undefined : columns - 2;
  return ['', title, ...table(rows, { columns: room, headless: true }).map((line) => indented(line))];
}

function seconds(ms: number): string {
  return formatDuration(Math.max(0, Math.floor(ms / 1000)) * 1000);
}
