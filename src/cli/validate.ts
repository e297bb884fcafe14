// `validate`: everything that is wrong with configuration files, without starting anything.
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { checkConfig, type KnownChannels } from '#config/lint.ts';
import { formatProblem, type Problem } from '#config/problem.ts';
import { messageOf } from '#domain/errors.ts';
import { listChannels } from './channels.ts';
import { apiClient, type CliIo, CommandFailed, example, printJson } from './support.ts';

interface Flags {
  readonly json?: boolean;
  readonly strict?: boolean;
  readonly inventory?: boolean;
  readonly channels?: number;
}

export function register(program: Command, io: CliIo): void {
  program
    .command('validate')
    .description('check configuration files: their form, their meaning, and whether Amazon IVS can do what they say')
    .argument('[files...]', 'YAML files (default: AUTOPILOT_CONFIG, else config/autopilot.yaml)')
    .option('--strict', 'warnings count as problems too')
    .option('--inventory', 'also look for tags that no channel has, by asking the daemon for its channels')
    .option('--channels <number>', 'for how many live channels to estimate fan-outs, without a daemon to ask', countOf)
    .option('--json', 'print the problems as JSON')
    .addHelpText(
      'after',
      example(
        'ivs-autopilot validate config/autopilot.yaml',
        'ivs-autopilot validate --channels 10000 config/autopilot.yaml',
      ),
    )
    .action(async (given: string[], flags: Flags) => {
      const files = given.length > 0 ? given : [defaultConfigFile(io.env)];
      const channels = flags.inventory ? await listChannels(apiClient(io)) : undefined;
      const reports = files.map((file) => ({ file, ...check(file, { channels, channelCount: flags.channels }) }));
      const problems = reports.flatMap((report) => report.problems);
      if (flags.json) printJson(io, { files: reports });
      else {
        for (const problem of problems) io.printError(formatProblem(problem));
        for (const { file, problems, rules } of reports) {
          if (problems.every(({ severity }) => severity === 'warning')) {
            io.print(`${file}: valid, ${rules} ${rules === 1 ? 'rule' : 'rules'}`);
          }
        }
      }
      const counted = problems.filter(({ severity }) => flags.strict || severity === 'error');
      if (counted.length > 0) throw new CommandFailed('', 1);
    });
}

/** Where the configuration is when nothing is said. */
export function defaultConfigFile(env: CliIo['env']): string {
  return env['AUTOPILOT_CONFIG'] ?? 'config/autopilot.yaml';
}

function countOf(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('expected a number of channels.');
  return Number(text);
}

function check(file: string, known: KnownChannels): { problems: readonly Problem[]; rules: number } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandFailed(
      `${file} cannot be read (${messageOf(error)}): name an existing file, or write one with \`ivs-autopilot init\`.`,
    );
  }
  return checkConfig(text, file, known);
}
