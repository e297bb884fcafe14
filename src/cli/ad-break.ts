// `ad-break insert`: ads on live channels, one channel a second; `ad-break list` and `ad-break cancel`: ad breaks that wait for their turn.
import type { Command } from 'commander';
import { callerText } from '#domain/person.ts';
import { type ActionFlags, actionOptions, askAction } from './ask-action.ts';
import { resolveChannel } from './channels.ts';
import { apiClient, type CliIo, example, printData, table } from './support.ts';

interface AdBreak {
  readonly channelArn: string;
  readonly channelName: string;
  readonly state: string;
  readonly at: string;
  readonly startsAt: string;
  readonly durationSeconds: number;
  readonly by: string;
}

export function register(program: Command, io: CliIo): void {
  const adBreak = program
    .command('ad-break')
    .description('server-side ad breaks: insert, list and cancel them')
    .addHelpText(
      'after',
      example('ivs-autopilot ad-break insert studio-a --duration 60s', 'ivs-autopilot ad-break list'),
    );
  const insert = adBreak
    .command('insert')
    .description('insert an ad break into live streams; on several channels the breaks begin one second apart')
    .argument('[channel]', 'ARN, last part of the ARN, or name')
    .requiredOption('--duration <time>', 'how long ads are played, from 1s to 5m');
  actionOptions(insert, { bulk: true })
    .addHelpText(
      'after',
      example(
        'ivs-autopilot ad-break insert studio-a --duration 60s',
        'ivs-autopilot ad-break insert --tag show=finals --duration 30s --reason "half-time"',
        'ivs-autopilot ad-break insert --tag show=finals --duration 30s --dry-run',
      ),
    )
    .action(async (channel: string | undefined, flags: ActionFlags & { readonly duration: string }) => {
      await askAction(io, { channel, action: { insert_ad_break: { duration: flags.duration } }, flags });
    });
  adBreak
    .command('list')
    .description('list ad breaks that wait for their turn, and the newest of each channel')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot ad-break list'))
    .action(async ({ json }: { json?: boolean }) => {
      const answer = (await apiClient(io).get('/v1/ad-breaks')) as { adBreaks: readonly AdBreak[] };
      const rows = answer.adBreaks.map((each) => [
        each.channelName || each.channelArn,
        each.state,
        each.at,
        each.startsAt,
        `${each.durationSeconds}s`,
        callerText(each.by),
      ]);
      printData(io, json, answer, () =>
        rows.length === 0 ? ['none'] : table([['CHANNEL', 'STATE', 'TURN AT', 'STARTS AT', 'FOR', 'BY'], ...rows]),
      );
    });
  adBreak
    .command('cancel')
    .description('cancel an ad break that waits for its turn')
    .argument('<channel>', 'ARN, last part of the ARN, or name')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot ad-break cancel studio-a'))
    .action(async (channel: string, { json }: { json?: boolean }) => {
      const api = apiClient(io);
      const arn = await resolveChannel(api, channel);
      const taken = (await api.send('DELETE', `/v1/ad-breaks/${encodeURIComponent(arn)}`)) as AdBreak;
      printData(io, json, taken, () => [`Cancelled: ${taken.durationSeconds} s of ads at ${taken.startsAt}`]);
    });
}
