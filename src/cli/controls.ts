// `pause`, `resume`, `hold`: stop automation as a whole, or for one channel.
import type { Command } from 'commander';
import { parseDuration } from '#domain/duration.ts';
import { resolveChannel } from './channels.ts';
import { apiClient, type CliIo, CommandFailed, example, printData } from './support.ts';

interface Flags {
  readonly reason: string;
  readonly for?: string;
  readonly release?: boolean;
  readonly json?: boolean;
}

export const noReason = 'no reason given';

export function register(program: Command, io: CliIo): void {
  registerPause(program, io);
  registerHold(program, io);
}

function registerPause(program: Command, io: CliIo): void {
  program
    .command('pause')
    .description('stop all automation at once; observing and requested actions continue')
    .option('--reason <text>', 'the reason, for everybody who sees the pause', noReason)
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot pause --reason "regional incident"'))
    .action(async ({ reason, json }: Flags) => {
      const answer = await apiClient(io).send('POST', '/v1/pause', { reason });
      printData(io, json, answer, () => [
        `${isWhole(answer) ? 'All automation is paused' : 'Automation is paused in all other accounts'} until \`ivs-autopilot resume\`.`,
        ...noteOf(answer),
      ]);
    });
  program
    .command('resume')
    .description('end a pause of automation')
    .option('--reason <text>', 'the reason', noReason)
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot resume'))
    .action(async ({ reason, json }: Flags) => {
      const body = reason === noReason ? {} : { reason };
      const answer = await apiClient(io).send('POST', '/v1/resume', body);
      printData(io, json, answer, () => [
        isWhole(answer) ? 'Automation continues.' : 'Automation continues in all other accounts.',
        ...noteOf(answer),
      ]);
    });
}

/** Whether every account was reached; others are named on standard error. */
function isWhole(answer: unknown): boolean {
  return (answer as { unasked?: unknown } | undefined)?.unasked === undefined;
}

/** What an answer says about replicas that were not reached. */
function noteOf(answer: unknown): string[] {
  const { note } = (answer ?? {}) as { note?: unknown };
  return typeof note === 'string' ? [note] : [];
}

function registerHold(program: Command, io: CliIo): void {
  program
    .command('hold')
    .description('stop rules from acting on a channel until the hold is released')
    .argument('<channel>', 'ARN, last part of the ARN, or name')
    .option('--reason <text>', 'the reason', noReason)
    .option('--for <duration>', 'release it automatically after this long, such as 2h')
    .option('--release', 'end the hold')
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      example('ivs-autopilot hold studio-a --reason "new encoder" --for 2h', 'ivs-autopilot hold studio-a --release'),
    )
    .action(async (given: string, { reason, for: duration, release, json }: Flags) => {
      requireDuration(duration);
      const api = apiClient(io);
      const arn = await resolveChannel(api, given);
      const path = `/v1/holds/${encodeURIComponent(arn)}`;
      if (release) {
        const answer = await api.send('DELETE', path);
        printData(io, json, answer ?? {}, () => [`Automation may act on ${given} again.`]);
        return;
      }
      const answer = await api.send('PUT', path, { reason, ...(duration === undefined ? {} : { duration }) });
      const until = duration === undefined ? 'until it is released' : `for ${duration}`;
      printData(io, json, answer, () => [`${given} is on hold ${until}.`]);
    });
}

/** @throws CommandFailed for an invalid duration */
export function requireDuration(text: string | undefined): void {
  if (text !== undefined && !(Number(parseDuration(text)) > 0)) {
    throw new CommandFailed(`--for expects a duration such as 30m or 2h, got ${text}.`, 2);
  }
}
