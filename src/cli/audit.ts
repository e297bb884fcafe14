// `audit`: who did what and why.
import type { Command } from 'commander';
import { type Answer, dataOf } from '#client/client.ts';
import { callerText } from '#domain/person.ts';
import { idOf, resolveChannel } from './channels.ts';
import { countOption, momentOption } from './options.ts';
import { gathered, given } from './pages.ts';
import { apiClient, type CliIo, example, printData, table } from './support.ts';
import { type Line, toned } from './terminal.ts';
import { shortTime } from './times.ts';

type Entry = Answer<'listAudit'>['entries'][number];

interface Flags {
  readonly channel?: string;
  readonly who?: string;
  readonly what?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
  readonly json?: boolean;
}

export function register(program: Command, io: CliIo): void {
  program
    .command('audit')
    .description('list who did what and why, newest first')
    .option('--channel <channel>', 'only entries about this channel: ARN, last part of the ARN, or name')
    .option('--who <name>', 'only entries by `rule <name>`, `token <name>` or a person')
    .option('--what <action>', 'only this action, such as stop_stream, hold or pause')
    .addOption(momentOption('--since <time>', 'only since then: a time, or how long ago, such as 8h'))
    .addOption(momentOption('--until <time>', 'only before this time'))
    .addOption(countOption('--limit <count>', 'maximum number of entries', 100_000).default(50))
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot audit --since 8h', 'ivs-autopilot audit --channel studio-a --json'))
    .action(async ({ channel, who, what, since, until, limit, json }: Flags) => {
      const api = apiClient(io);
      const channelArn = channel === undefined ? undefined : await resolveChannel(api, channel);
      const { items, next } = await gathered(limit, async (before, most) => {
        const query = given({ channelArn, who, what, since, until, before, limit: Math.min(most, 1000) });
        const page = dataOf(await api.client.GET('/v1/audit', { params: { query } }));
        return { items: page.entries, next: page.next };
      });
      printData(io, json, { entries: items, ...given({ next }) }, () => linesOf(items, io));
      if (next !== undefined && !json) io.printError('There are older entries; raise --limit to list more.');
    });
}

function linesOf(entries: readonly Entry[], io: CliIo): Line[] {
  if (entries.length === 0) return ['None.'];
  const rows = entries.map(({ at, who, what, outcome, channelName, channelArn, why, reason, dryRun }) => [
    shortTime(at),
    callerText(who),
    `${what}${dryRun ? ' (dry run)' : ''}`,
    toned(outcome),
    channelName ?? (channelArn === undefined ? '' : idOf(channelArn)),
    reason === undefined ? why : `${reason}: ${why}`,
  ]);
  return table([['TIME', 'WHO', 'WHAT', 'OUTCOME', 'CHANNEL', 'WHY'], ...rows], io);
}
