// Every command of the program, and the arguments that tests use for it.
import type { Command } from 'commander';
import { createProgram } from '#src/cli/main.ts';

const channel = 'arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl';

/** The arguments of each command; a new command must have its line here. */
export const commandLines: Readonly<Record<string, readonly string[]>> = {
  run: [],
  validate: [],
  test: [],
  replay: ['recording.jsonl'],
  status: [],
  'alert list': [],
  'alert on-call': [],
  'alert acknowledge': ['alert:rate|x'],
  'notify test': ['noc'],
  'approval list': [],
  'approval approve': ['ap-0'],
  'approval reject': ['ap-0'],
  explain: ['rule', channel],
  report: [channel],
  hold: [channel, '--reason', 'x'],
  'silence add': ['rule="x"', '--reason', 'x', '--for', '1h', '--force'],
  'silence list': [],
  'silence edit': ['s-0', '--for', '1h'],
  'silence end': ['s-0'],
  completion: ['bash'],
  'stream list': [],
  'stream show': [channel],
  'channel list': [],
  'channel show': [channel],
  'decision list': [],
  'decision show': ['d1'],
  audit: [],
  watch: [],
  init: [],
  pause: ['--reason', 'x'],
  resume: [],
  'rule reset': ['rule'],
  activate: ['--yes'],
  schema: [],
  simulator: ['--port', '0'],
  bootstrap: ['--dry-run'],
  iam: [],
  doctor: [],
  'metadata send': ['--channel', channel, '--payload', 'text'],
  'metadata status': ['b1'],
  'metadata cancel': ['b1'],
  'key age': [],
  'recording pending': [],
  'recording cancel': [channel],
  'ad-configuration cancel': [channel],
  'playback-restriction cancel': [channel],
  'actions status': [],
  'actions stop': ['a1'],
  'key rotate': [channel, '--secret', 'a/b', '--reason', 'x'],
  'ad-configuration set': [channel, '--configuration', 'none', '--reason', 'x'],
  'playback-restriction set': [channel, '--policy', 'none', '--reason', 'x'],
  'playback-restriction edit': ['europe', '--countries', 'GB', '--reason', 'x'],
  'viewers revoke': [channel, 'viewer-1', '--reason', 'x'],
  'recording ensure': ['prod', '--bucket', 'prod-recordings', '--reason', 'x'],
  'channel provision': ['cup', '--secret', 'a/b', '--reason', 'x'],
  'channel lease': ['spares', '--secret', 'a/b', '--reason', 'x'],
  'channel return': [channel, '--reason', 'x'],
  'recording set': [channel, '--configuration', 'none', '--reason', 'x'],
  'ad-break insert': [channel, '--duration', '30s', '--reason', 'x'],
  'ad-break list': [],
  'ad-break cancel': [channel],
  'stream stop': [channel, '--reason', 'x'],
  'channel refresh': [channel],
};

function leaves(command: Command, path: readonly string[] = []): string[] {
  return command.commands.length === 0
    ? [path.join(' ')]
    : command.commands.flatMap((inner) => leaves(inner, [...path, inner.name()]));
}

/** The names of all commands; a command without a line above is an error. */
export function allCommands(): string[] {
  const io = { print: () => undefined, printError: () => undefined, env: {}, signal: new AbortController().signal };
  const names = leaves(createProgram(io));
  const missing = names.filter((name) => !(name in commandLines));
  if (missing.length > 0) throw new Error(`no command line for ${missing.join(', ')}: add one to command-lines.ts`);
  return names;
}
