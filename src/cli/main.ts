// The program `ivs-autopilot`: collects the commands, and turns their results into exit codes (0 done, 1 a problem was found, 2 wrong
// usage). Commands import heavy modules only when they run, so that `--help` stays fast.
import { readFileSync, writeSync } from 'node:fs';
import { userInfo } from 'node:os';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { Command, CommanderError } from 'commander';
import { AppError, messageOf } from '#domain/errors.ts';
import { visibleLine } from '#domain/visible-text.ts';
import { isEntry } from '#runtime/entry.ts';
import { Scrubber } from '#runtime/scrubber.ts';
import { endOnUncaught } from '#runtime/uncaught.ts';
import { register as registerActivate } from './activate.ts';
import { register as registerAdBreak } from './ad-break.ts';
import { register as registerAdConfiguration } from './ad-configuration.ts';
import { register as registerAlert } from './alert.ts';
import { register as registerApproval } from './approval.ts';
import { register as registerActions } from './ask-action.ts';
import { register as registerAudit } from './audit.ts';
import { register as registerBootstrap } from './bootstrap.ts';
import { register as registerChannel } from './channel.ts';
import { register as registerCompletion } from './completion.ts';
import { register as registerControls } from './controls.ts';
import { register as registerDecision } from './decision.ts';
import { register as registerDoctor } from './doctor.ts';
import { register as registerExplain } from './explain.ts';
import { register as registerIam } from './iam.ts';
import { register as registerInit } from './init.ts';
import { register as registerKey } from './key-rotate.ts';
import { register as registerMetadata } from './metadata-send.ts';
import { register as registerNotify } from './notify.ts';
import { register as registerPlaybackRestriction } from './playback-restriction.ts';
import { register as registerRecording } from './recording-set.ts';
import { register as registerReplay } from './replay.ts';
import { register as registerReport } from './report.ts';
import { register as registerRule } from './rule.ts';
import { register as registerRun } from './run.ts';
import { register as registerSchema } from './schema.ts';
import { register as registerSilence } from './silence.ts';
import { register as registerSimulator, simulatorFailure } from './simulator.ts';
import { register as registerStatus } from './status.ts';
import { register as registerStream } from './stream.ts';
import { type CliIo, CommandFailed, example, printLines } from './support.ts';
import { painted } from './terminal.ts';
import { register as registerTest } from './test.ts';
import { register as registerValidate } from './validate.ts';
import { register as registerViewers } from './viewers.ts';
import { register as registerWatch } from './watch.ts';

/** Every command, in the order of `--help`. */
const registers: readonly ((program: Command, io: CliIo) => void)[] = [
  registerInit,
  registerRun,
  registerValidate,
  registerTest,
  registerReplay,
  registerStatus,
  registerWatch,
  registerAlert,
  registerNotify,
  registerApproval,
  registerStream,
  registerChannel,
  registerDecision,
  registerExplain,
  registerAudit,
  registerReport,
  registerControls,
  registerActivate,
  registerRule,
  registerSilence,
  registerSchema,
  registerSimulator,
  registerBootstrap,
  registerIam,
  registerDoctor,
  registerMetadata,
  registerKey,
  registerRecording,
  registerAdConfiguration,
  registerPlaybackRestriction,
  registerViewers,
  registerAdBreak,
  registerActions,
  registerCompletion,
];

/** The whole program. */
export function createProgram(io: CliIo): Command {
  const program = new Command('ivs-autopilot')
    .description(
      'Stream-operations automation for Amazon IVS: watches streams, decides by rules, acts within the quotas.',
    )
    .version(packageVersion(), '-V, --version')
    .option(
      '--as <name>',
      'who you are, for holds, silences and the audit (default: AUTOPILOT_AS, or the system’s user)',
    )
    .option('--url <address>', 'the daemon that the commands talk to (default: AUTOPILOT_URL, or this machine)')
    .option('--token-file <file>', 'file that contains the API token (default: AUTOPILOT_API_TOKEN_FILE)')
    .configureHelp({ showGlobalOptions: false })
    .addHelpText(
      'after',
      example(
        'ivs-autopilot validate config/autopilot.yaml',
        'ivs-autopilot run',
        'ivs-autopilot pause --reason "regional incident"',
      ) +
        '\nThe options above go before or after the command. AUTOPILOT_URL and AUTOPILOT_API_TOKEN replace --url and\n' +
        '--token-file. Colours appear on a terminal only, and not with NO_COLOR. Exit codes: 0 done, 1 a problem was found, 2 wrong usage.\n',
    );
  const surroundings = withGlobals(io, () => program.opts<Globals>());
  for (const register of registers) register(program, surroundings);
  for (const command of allOf(program)) {
    command.exitOverride();
    command.showHelpAfterError('(see --help)');
    command.configureOutput({
      writeOut: (text) => printLines(io.print, text.replace(/\n$/, '')),
      writeErr: (text) => printLines(io.printError, text.replace(/\n$/, '')),
      outputError: (text, write) => write(withDryRun(text, command)),
    });
  }
  return program;
}

/** Other programs have a command `plan`; here the command itself has an option. */
function withDryRun(text: string, group: Command): string {
  const [asked] = /^error: unknown command '(?:plan|preview|dry-?run|simulate|what-?if)'/.exec(text) ?? [];
  const planning = allOf(group).find(({ options }) => options.some(({ long }) => long === '--dry-run'));
  if (asked === undefined || !planning) return text;
  return `${asked}\n(To see what a command would do, add --dry-run, as in: ${pathOf(planning)} --dry-run)\n`;
}

/** All words of a command, such as `ivs-autopilot metadata send`. */
function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

/** Runs one command line (as in process.argv) and returns its exit code. */
export async function runCli(argv: readonly string[], surroundings: CliIo = processIo()): Promise<number> {
  const io = withVisibleText(surroundings);
  try {
    await createProgram(io).parseAsync([...argv]);
    return process.exitCode === undefined ? 0 : Number(process.exitCode);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const failure = error instanceof CommandFailed ? error : simulatorFailure(error);
    if (failure) {
      if (failure.message !== '') printLines(io.printError, failure.message);
      return failure.exitCode;
    }
    if (error instanceof AppError) {
      printLines(io.printError, `${error.code}: ${error.message}`);
      return 1;
    }
    io.printError(`This is a bug; report it: ${messageOf(error)}`);
    if (io.env['LOG_LEVEL'] === 'debug' && error instanceof Error) printLines(io.printError, error.stack ?? '');
    return 1;
  }
}

interface Globals {
  readonly as?: string;
  readonly url?: string;
  readonly tokenFile?: string;
}

/**
 * The environment with the options before or after a command applied: the person (`--as`, AUTOPILOT_AS, or the system's user if the
 * program runs as a process of its own), and the daemon, under the names of the environment variables.
 */
function withGlobals(io: CliIo, given: () => Globals): CliIo {
  return Object.create(io, {
    person: { value: () => given().as ?? io.env['AUTOPILOT_AS'] ?? io.person?.() },
    env: {
      get: () => {
        const { url, tokenFile } = given();
        return {
          ...io.env,
          ...(url === undefined ? {} : { AUTOPILOT_URL: url }),
          ...(tokenFile === undefined ? {} : { AUTOPILOT_API_TOKEN: undefined, AUTOPILOT_API_TOKEN_FILE: tokenFile }),
        };
      },
    },
  }) as CliIo;
}

function systemUser(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    // A user without a name in the system, as in many containers.
    return undefined;
  }
}

/** Asks one question at the terminal; empty if the terminal is gone. */
async function askAtTerminal(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await new Promise<string>((resolve) => {
      terminal.once('close', () => resolve(''));
      terminal.once('SIGINT', () => process.exit(130));
      terminal.question(question, resolve);
    });
  } finally {
    terminal.close();
  }
}

/** Where output leaves the program: text from strangers reaches the terminal only as visible text. */
function withVisibleText(io: CliIo): CliIo {
  const { redraw, paint } = io;
  return {
    print: (line) => io.print(visibleLine(line)),
    printError: (line) => io.printError(visibleLine(line)),
    redraw: redraw && ((line) => redraw(visibleLine(line))),
    paint: paint && ((line) => paint(line.map((piece) => ({ ...piece, text: visibleLine(piece.text) })))),
    get columns() {
      return io.columns;
    },
    env: io.env,
    person: io.person,
    ask: io.ask && ((question) => io.ask!(visibleLine(question))),
    readInput: io.readInput,
    get signal() {
      return io.signal;
    },
  };
}

function processIo(): CliIo {
  const scrubber = new Scrubber();
  for (const [name, value] of Object.entries(process.env))
    if (/TOKEN|SECRET|PASSWORD/.test(name) && value !== undefined) scrubber.hide(value, name);
  const shown = (line: string) => visibleLine(scrubber.scrub(line));
  const printError = (line: string) => void process.stderr.write(`${shown(line)}\n`);
  endOnUncaught((error) => writeSync(2, `${shown(`This is a bug; report it: ${messageOf(error)}`)}\n`));
  const ending = new AbortController();
  let endingSince = Number.POSITIVE_INFINITY;
  // The reader of the output may close it (`… | head`), which is no error.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit();
      // For example a full disk. Only standard error is left to report it.
      if (stream === process.stdout) printError(`The output cannot be written: ${error.message}.`);
      process.exit(1);
    });
  }
  return {
    print: (line) => void process.stdout.write(`${line}\n`),
    printError,
    paint: showsColours(process.stdout, process.env)
      ? (line) => void process.stdout.write(`${painted(line)}\n`)
      : undefined,
    get columns() {
      return process.stdout.isTTY ? process.stdout.columns : undefined;
    },
    redraw: process.stderr.isTTY ? (line) => void process.stderr.write(`\r\u001b[K${shown(line)}`) : undefined,
    env: process.env,
    person: systemUser,
    ask: process.stdin.isTTY && process.stderr.isTTY ? askAtTerminal : undefined,
    readInput: () => text(process.stdin),
    get signal() {
      // Only a command that uses the signal disables the default effect of Ctrl-C.
      if (process.listenerCount('SIGINT') === 0) {
        for (const name of ['SIGINT', 'SIGTERM'] as const) {
          process.on(name, () => {
            // Ctrl-C may arrive twice, from the terminal and from the launcher; another one after a while ends the program at once.
            if (performance.now() - endingSince > 1_000) process.exit(130);
            if (ending.signal.aborted) return;
            endingSince = performance.now();
            ending.abort(new CommandFailed('interrupted', 130));
          });
        }
      }
      return ending.signal;
    },
  };
}

/** Whether standard output is a terminal with colours, and NO_COLOR is not set. https://no-color.org */
function showsColours(output: NodeJS.WriteStream, { NO_COLOR = '' }: NodeJS.ProcessEnv): boolean {
  return output.isTTY && NO_COLOR === '' && output.hasColors();
}

function allOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allOf)];
}

/** From package.json, which is two folders above the sources and one above dist/. */
function packageVersion(): string {
  for (const place of ['../../package.json', '../package.json']) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (name === 'ivs-autopilot' && version !== undefined) return version;
    } catch {
      // Try the other location.
    }
  }
  return 'unknown';
}

if (isEntry(process.argv[1], import.meta.filename)) process.exitCode = await runCli(process.argv);
