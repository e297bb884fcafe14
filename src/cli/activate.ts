// `activate`: lets a standby work. It first says what this will cause and, at a terminal, asks for confirmation.
import type { Command } from 'commander';
import { noReason } from './controls.ts';
import { apiClient, type CliIo, CommandFailed, example, printData } from './support.ts';

interface Flags {
  readonly reason: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

interface Answer {
  readonly startedAsStandby: boolean;
  readonly effects: readonly string[];
  readonly accounts: readonly {
    readonly name: string;
    readonly activation?: { readonly who: string; readonly reason: string; readonly since: string };
  }[];
}

export function register(program: Command, io: CliIo): void {
  program
    .command('activate')
    .description('let a standby (`run --standby`) work, with all replicas of its Redis')
    .option('--reason <text>', 'the reason, for everybody who sees it', noReason)
    .option('--dry-run', 'only say what would follow')
    .option('--yes', 'do not ask at the terminal')
    .option('--json', 'print the answer as JSON')
    .addHelpText(
      'after',
      example('ivs-autopilot activate --dry-run', 'ivs-autopilot activate --reason "us-west-2 is lost"') +
        '\nStop the other deployment first: docs/operations.md, "A second Region", has the order of steps.\n',
    )
    .action(async ({ reason, dryRun = false, yes = false, json }: Flags) => {
      const api = apiClient(io);
      const ask = async (body: object) => answerOf(await api.send('POST', '/v1/activate', body));
      const said = reason === noReason ? {} : { reason };
      if (dryRun) {
        const planned = await ask({ ...said, dryRun });
        printData(io, json, planned, () => [...linesOf(planned), 'Nothing was changed (--dry-run).']);
        return;
      }
      if (io.ask && !yes) await confirm(io, await ask({ ...said, dryRun: true }));
      const done = await ask(said);
      printData(io, json, done, () =>
        done.effects.length === 0 ? linesOf(done) : ['The standby is activated. It works within a second.'],
      );
    });
}

/** @throws CommandFailed for a deployment that is no standby, and for an answer that does not come from this route */
function answerOf(answer: unknown): Answer {
  const { startedAsStandby, effects, accounts } = (answer ?? {}) as Partial<Answer>;
  if (!Array.isArray(effects) || !Array.isArray(accounts))
    throw new CommandFailed('The answer does not come from ivs-autopilot: check AUTOPILOT_URL or --url.');
  if (startedAsStandby !== true)
    throw new CommandFailed('This deployment is no standby; it already works: check AUTOPILOT_URL or --url.');
  return answer as Answer;
}

function linesOf({ effects, accounts }: Answer): readonly string[] {
  if (effects.length > 0) return effects.map((effect) => `- ${effect}`);
  return accounts.map(
    ({ name, activation: { who, reason, since } = { who: '?', reason: '?', since: '?' } }) =>
      `${name} is activated already, since ${since} by ${who}: ${reason}`,
  );
}

/** Says what activation will cause, and asks. @throws CommandFailed unless the answer is yes */
async function confirm(io: CliIo, planned: Answer): Promise<void> {
  if (planned.effects.length === 0) return;
  for (const line of linesOf(planned)) io.printError(line);
  const answer = await io.ask!('Activate this standby? [y/N] ');
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandFailed('Nothing was activated.', 1);
}
