// `completion`: the script that completes command lines in bash, zsh or fish. The daemon provides names of channels and rules.
import { type Command, Option } from 'commander';
import { listChannels } from './channels.ts';
import { scriptFor, shells } from './completion-scripts.ts';
import { completionTable } from './completion-table.ts';
import { chosen } from './options.ts';
import { apiClient, type CliIo, CommandFailed, example, printLines } from './support.ts';

/** Longest wait for the daemon after Tab was pressed. */
const patienceMs = 800;
const nameKinds = ['channels', 'rules'];
/** Words that a shell takes literally; for any other name, its id is offered, or nothing. */
const plainWord = /^[\w.@+-]+$/;

export function register(program: Command, io: CliIo): void {
  program
    .command('completion')
    .description('print the script that completes commands in a shell, with names of channels and rules')
    .addArgument(
      program
        .createArgument('[shell]', `${shells.join(', ')} (default: that of SHELL)`)
        .choices(shells)
        .argParser((given: string) => chosen(given, shells)),
    )
    .addOption(new Option('--names <kind>', 'print names instead; the scripts call this').hideHelp().choices(nameKinds))
    .option('--json', 'print what the script knows as JSON')
    .addHelpText(
      'after',
      example(
        'source <(ivs-autopilot completion bash)                                     # in ~/.bashrc',
        'ivs-autopilot completion zsh > "${fpath[1]}/_ivs-autopilot"',
        'ivs-autopilot completion fish > ~/.config/fish/completions/ivs-autopilot.fish',
      ),
    )
    .action(async (given: string | undefined, { names, json }: { names?: string; json?: boolean }) => {
      if (names !== undefined) return printLines(io.print, (await namesOf(io, names)).join('\n'));
      const table = completionTable(program);
      if (json) return printLines(io.print, JSON.stringify(table, null, 2));
      const own = (io.env['SHELL'] ?? '').split('/').at(-1) ?? '';
      const shell = given ?? (shells.includes(own) ? own : undefined);
      if (shell === undefined) throw new CommandFailed(`Name the shell: ${shells.join(', ')}.`, 2);
      printLines(io.print, scriptFor(shell, table));
    });
}

/** `name<TAB>what it is`, if the daemon answers in time. */
async function namesOf(io: CliIo, kind: string): Promise<readonly string[]> {
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(patienceMs)]);
  try {
    const api = apiClient({ env: io.env, signal, person: undefined }, { requestMs: patienceMs });
    const found = kind === 'rules' ? await ruleNames(api) : await channelNames(api);
    return found.filter(([name]) => plainWord.test(name)).map(([name, what]) => `${name} ${what}`.trim());
  } catch {
    // No daemon, no token, or too slow: offer nothing and print nothing in the middle of a command line.
    return [];
  }
}

async function ruleNames(api: ReturnType<typeof apiClient>): Promise<(readonly [string, string])[]> {
  const { rules } = (await api.get('/v1/rules')) as { rules: readonly { name: string; mode: string }[] };
  return rules.map(({ name, mode }) => [name, mode] as const);
}

/** By name if it is unique, else by the last part of the ARN. */
async function channelNames(api: ReturnType<typeof apiClient>): Promise<(readonly [string, string])[]> {
  const channels = await listChannels(api);
  const times = new Map<string, number>();
  for (const { name } of channels) times.set(name, (times.get(name) ?? 0) + 1);
  return channels.map(({ arn, name }) => {
    const id = arn.slice(arn.lastIndexOf('/') + 1);
    return times.get(name) === 1 && plainWord.test(name) ? ([name, id] as const) : ([id, name] as const);
  });
}
