// `validate`: reports everything that is wrong with configuration files, without starting anything.
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { accountsOf } from '#config/accounts.ts';
import { type AccountSelection, carriedAccounts, selectionOf } from '#config/carried.ts';
import { checkConfig, type KnownChannels } from '#config/lint.ts';
import { parseConfig } from '#config/load.ts';
import { formatProblem, type Problem } from '#config/problem.ts';
import { AppError, messageOf } from '#domain/errors.ts';
import { listChannels } from './channels.ts';
import { apiClient, type CliIo, CommandFailed, example, printJson } from './support.ts';

interface Flags {
  readonly json?: boolean;
  readonly strict?: boolean;
  readonly inventory?: boolean;
  readonly channels?: number;
  readonly accounts?: string;
}

export function register(program: Command, io: CliIo): void {
  program
    .command('validate')
    .description('check configuration files: syntax, meaning, and whether Amazon IVS can do what they say')
    .argument('[files...]', 'YAML files (default: AUTOPILOT_CONFIG, else config/autopilot.yaml)')
    .option('--strict', 'treat warnings as errors')
    .option('--inventory', 'ask the daemon for its channels, and report tags that no channel has')
    .option(
      '--channels <number>',
      'number of live channels for the estimates of fan-outs, if no daemon can be asked',
      countOf,
    )
    .option(
      '--accounts <names>',
      "also print the entries of `accounts` that `run --accounts` would carry, such as 'main,eu-*' (default: AUTOPILOT_ACCOUNTS)",
    )
    .option('--json', 'print the problems as JSON')
    .addHelpText(
      'after',
      example(
        'ivs-autopilot validate config/autopilot.yaml',
        'ivs-autopilot validate --channels 10000 config/autopilot.yaml',
        "ivs-autopilot validate --accounts 'eu-*' config/autopilot.yaml",
      ),
    )
    .action(async (given: string[], flags: Flags) => {
      const files = given.length > 0 ? given : [defaultConfigFile(io.env)];
      const channels = flags.inventory ? await listChannels(apiClient(io)) : undefined;
      const selection = selectionOf(flags.accounts, io.env, '--accounts');
      const reports = files.map((file) => ({
        file,
        ...check(file, { channels, channelCount: flags.channels }, { selection, env: io.env }),
      }));
      const problems = reports.flatMap((report) => report.problems);
      if (flags.json) printJson(io, { files: reports });
      else {
        for (const problem of problems) io.printError(formatProblem(problem));
        for (const { file, problems, rules, carries } of reports) {
          if (problems.some(({ severity }) => severity !== 'warning')) continue;
          io.print(`${file}: valid, ${rules} ${rules === 1 ? 'rule' : 'rules'}`);
          if (carries) io.print(`${file}: carries ${carries.join(', ')}`);
        }
      }
      const counted = problems.filter(({ severity }) => flags.strict || severity === 'error');
      if (counted.length > 0) throw new CommandFailed('', 1);
    });
}

/** The configuration file if none is named. */
export function defaultConfigFile(env: CliIo['env']): string {
  return env['AUTOPILOT_CONFIG'] ?? 'config/autopilot.yaml';
}

function countOf(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('expected a number of channels.');
  return Number(text);
}

interface Report {
  readonly problems: readonly Problem[];
  readonly rules: number;
  /** Names of the selected accounts; undefined: nothing was selected, or the selection cannot be determined. */
  readonly carries?: readonly string[];
}

function check(
  file: string,
  known: KnownChannels,
  { selection, env }: { readonly selection: AccountSelection | undefined; readonly env: CliIo['env'] },
): Report {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandFailed(
      `${file} cannot be read (${messageOf(error)}): name an existing file, or write one with \`ivs-autopilot init\`.`,
    );
  }
  const report = checkConfig(text, file, known);
  if (selection === undefined || report.problems.some(({ severity }) => severity === 'error')) return report;
  try {
    const parsed = parseConfig(text, file);
    if (!parsed.ok) return report;
    return { ...report, carries: carriedAccounts(accountsOf(parsed.config, env), selection).map(({ name }) => name) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const problem: Problem = { file, line: 1, column: 1, path: 'accounts', message: error.message, severity: 'error' };
    return { ...report, problems: [...report.problems, problem] };
  }
}
