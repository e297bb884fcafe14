// `alert list`: what needs a person, the same list as on the page; `alert acknowledge`: say that somebody has seen it.
import { type Command, Option } from 'commander';
import { callerText, personText } from '#domain/person.ts';
import { systemClock } from '#runtime/clock.ts';
import { apiClient, type CliIo, daemonUrl, example, printData, table } from './support.ts';
import { type Line, toned } from './terminal.ts';
import { agoText } from './times.ts';

interface Alert {
  readonly id: string;
  readonly kind: string;
  readonly severity: string;
  readonly title: string;
  readonly cause: string;
  readonly link: string;
  readonly since: string;
  readonly end: string | null;
  readonly state?: string;
  readonly owner?: string;
  readonly dismissible?: true;
  readonly acknowledged?: { readonly who: string; readonly note: string; readonly at: string };
}

export function register(program: Command, io: CliIo): void {
  const alert = program
    .command('alert')
    .description('alerts: incidents, failed jobs, refused metadata, missing data, …')
    .addHelpText('after', example('ivs-autopilot alert list'));
  alert
    .command('list')
    .description('list what needs a person now, the worst first')
    .option('--kind <kind>', 'only alerts of this kind, such as incident or failed_job')
    .addOption(
      new Option('--state <state>', 'only entries in this state').choices(['open', 'acknowledged', 'resolved']),
    )
    .option('--ended', 'also list past alerts: the newest incidents, and others that ended within a day')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot alert list', 'ivs-autopilot alert list --kind incident --ended'))
    .action(
      async ({ kind, state, ended, json }: { kind?: string; state?: string; ended?: boolean; json?: boolean }) => {
        const query = new URLSearchParams({
          ...(kind === undefined ? {} : { kind }),
          ...(state === undefined ? {} : { state }),
          ...(ended ? { ended: 'true' } : {}),
        });
        const answer = (await apiClient(io).get(`/v1/alerts?${query.toString()}`)) as { alerts: readonly Alert[] };
        printData(io, json, answer, () =>
          answer.alerts.length === 0
            ? [nothingText(kind, state)]
            : answer.alerts.flatMap((each) => linesOf(each, daemonUrl(io.env))),
        );
      },
    );
  alert
    .command('on-call')
    .description('who has what: each alert in a line, what nobody has first, with its age and who took it when')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot alert on-call'))
    .action(async ({ json }: { json?: boolean }) => {
      const answer = (await apiClient(io).get('/v1/alerts')) as { alerts: readonly Alert[] };
      printData(io, json, answer, () => (answer.alerts.length === 0 ? ['All clear.'] : board(answer.alerts, io)));
    });
  alert
    .command('acknowledge')
    .description('tell others that you work on an alert; this dismisses a failed job or a refused delivery')
    .argument('<id>', 'the id in `alert list`')
    .option('--note <text>', 'what you found, or what you are doing', '')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot alert acknowledge alert:failed_job\\|0123456789abcdef --note "typo"'))
    .action(async (id: string, { note, json }: { note: string; json?: boolean }) => {
      const path = `/v1/alerts/${encodeURIComponent(id)}/acknowledge`;
      const answer = (await apiClient(io).send('POST', path, { note })) as Alert;
      printData(io, json, answer, () => [
        answer.dismissible
          ? `Dismissed: ${answer.cause}`
          : `Acknowledged; the alert stays until its cause is gone: ${answer.cause}`,
      ]);
    });
}

/** Unacknowledged alerts come first; otherwise the order of the list stays: the most severe first. */
function board(alerts: readonly Alert[], io: CliIo): Line[] {
  const nowMs = systemClock.now();
  const rows = alerts
    .toSorted((left, right) => Number(left.acknowledged !== undefined) - Number(right.acknowledged !== undefined))
    .map(({ severity, title, cause, since, acknowledged, id }) => [
      toned(severity.toUpperCase()),
      agoText(since, nowMs),
      acknowledged ? personText(acknowledged.who) : { text: 'nobody', tone: 'warn' as const },
      acknowledged ? agoText(acknowledged.at, nowMs) : '',
      title,
      cause,
      id,
    ]);
  return table([['SEVERITY', 'AGE', 'WHO HAS IT', 'FOR', 'ALERT', 'CAUSE', 'ID'], ...rows], io);
}

function nothingText(kind: string | undefined, state: string | undefined): string {
  if (kind === undefined) return state === undefined ? 'All clear.' : `No alert is ${state}.`;
  return `No alert of the kind ${kind}${state === undefined ? '' : ` is ${state}`}.`;
}

function linesOf({ id, kind, severity, title, cause, link, since, end, acknowledged }: Alert, url: string): Line[] {
  const seen = acknowledged
    ? [
        `  taken by ${callerText(acknowledged.who)} at ${acknowledged.at}${acknowledged.note && `: ${acknowledged.note}`}`,
      ]
    : [];
  return [
    [toned(severity.toUpperCase()), ` ${title} (${kind}), since ${since}${end === null ? '' : `, end ${end}`}`],
    `  ${cause}`,
    ...seen,
    `  ${url}${link}`,
    `  id ${id}`,
  ];
}
