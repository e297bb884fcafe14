// The command `simulator`: starts a simulator, makes channels, plays a scenario and says how to reach it. What belongs to
// the process (signals, exit codes, streams) is handed in, so the program's command line and main.ts share it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { SimulatorClient } from './client.ts';
import { parseScenario, ScenarioError } from './scenario/parse.ts';
import { QUICK_TIMINGS, REALISTIC_TIMINGS } from './settings.ts';
import type { Enforcement } from './throttle/throttle.ts';

/** What the command needs of its surroundings. */
export interface SimulatorIo {
  /** Writes one line to standard output. */
  readonly print: (line: string) => void;
  /** Aborted when the user wants it to end. */
  readonly signal: AbortSignal;
}

interface Flags {
  readonly port: number;
  readonly host: string;
  readonly region: string;
  readonly account: string;
  readonly channels?: number;
  readonly live?: number;
  readonly scenario?: string;
  readonly queueUrl?: string;
  readonly sqsEndpoint?: string;
  readonly sqs?: boolean;
  readonly sqsPort: number;
  readonly quota: Enforcement;
  readonly concurrentStreams?: number;
  readonly timings: 'realistic' | 'quick';
  readonly speed: number;
  readonly seed?: string;
  readonly json?: boolean;
}

/** A mistake of the user, worth one sentence and exit code 1. */
export class SimulatorCommandError extends Error {}

const SCENARIOS = new URL('../config/scenarios/', import.meta.url);

/** Names of the scenarios that come with it. */
export const builtInScenarios = (): string[] =>
  existsSync(SCENARIOS)
    ? readdirSync(SCENARIOS)
        .filter((file) => file.endsWith('.yaml'))
        .map((file) => file.slice(0, -'.yaml'.length))
    : [];

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function speed(text: string): number {
  const parsed = Number(text);
  if (!(parsed >= 0)) throw new InvalidArgumentError('It must be a number, 0 or more.');
  return parsed;
}

/** The scenario's text: of a file, or of one that comes with it. */
export function readScenario(nameOrPath: string): string {
  const builtIn = new URL(`${nameOrPath}.yaml`, SCENARIOS);
  if (/^[\w-]+$/.test(nameOrPath) && existsSync(builtIn)) return readFileSync(builtIn, 'utf8');
  if (existsSync(nameOrPath)) return readFileSync(nameOrPath, 'utf8');
  throw new SimulatorCommandError(
    `there is no scenario ${nameOrPath}: give a YAML file, or one of ${builtInScenarios().join(', ')}`,
  );
}

/** The command, to be added to a program or parsed by itself. Its action resolves when `io.signal` is aborted. */
export function simulatorCommand(io: SimulatorIo): Command {
  return new Command('simulator')
    .description('run a local Amazon IVS: control plane, quotas, virtual encoders, events')
    .option('--port <n>', 'port to listen on; 0 takes a free one', whole, 4599)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--region <name>', 'Region it pretends to be', 'us-west-2')
    .option('--account <id>', 'account it pretends to be', '111122223333')
    .option('--channels <n>', 'channels to make at the start; with a scenario, the size of its first group', whole)
    .option('--live <n>', 'how many of them go live at once', whole)
    .option('--scenario <name or file>', `play a scenario: a YAML file, or ${builtInScenarios().join(', ')}`)
    .option('--queue-url <url>', 'SQS queue that gets every IVS event')
    .option('--sqs-endpoint <url>', 'SQS endpoint for queues on a stand-in (default: from the queue URL, else AWS)')
    .option('--sqs', 'start an SQS stand-in with a queue `ivs-events` in this process')
    .option('--sqs-port <port>', 'where it listens, on the same host (0: a free one)', whole, 0)
    .addOption(
      new Option('--quota <how>', 'how call rates are enforced')
        .choices(['sliding-window', 'token-bucket', 'off'])
        .default('sliding-window'),
    )
    .option('--concurrent-streams <n>', 'how many streams may be live at once (default: 100, the service quota)', whole)
    .addOption(
      new Option('--timings <which>', 'how long things take').choices(['realistic', 'quick']).default('realistic'),
    )
    .option('--speed <x>', 'simulated seconds per real one; 0 is a clock that only the control API moves', speed, 1)
    .option('--seed <text>', 'repeat a run: all ids and dice come from it')
    .option('--json', 'print the addresses as one line of JSON')
    .addHelpText(
      'after',
      '\nExample:\n  $ ivs-autopilot simulator --channels 200 --live 40 --sqs --scenario mass-starvation\n',
    )
    .action((flags: Flags) => runSimulator(flags, io));
}

/** Runs until the signal is aborted. Rejects with a SimulatorCommandError for what the user can mend. */
export async function runSimulator(flags: Flags, io: SimulatorIo): Promise<void> {
  if (flags.sqs === true && flags.queueUrl !== undefined) {
    throw new SimulatorCommandError('give either --sqs or --queue-url, not both');
  }
  const scenario = flags.scenario === undefined ? undefined : readScenario(flags.scenario);
  if (scenario !== undefined) checkScenario(scenario, flags.scenario ?? '');
  // Only now: the command line that this command is part of starts in half the time without them.
  const [{ startSimulator }, { startLocalSqs }] = await Promise.all([import('./server.ts'), import('./sqs.ts')]);
  await using stack = new AsyncDisposableStack();
  let { queueUrl, sqsEndpoint } = flags;
  if (flags.sqs === true) {
    const sqs = stack.use(
      await startLocalSqs({ region: flags.region, host: flags.host, port: flags.sqsPort }).catch(
        explainStart({ ...flags, port: flags.sqsPort }, '--sqs-port'),
      ),
    );
    const { queueArn: deadLetterTargetArn } = await sqs.createQueue('ivs-events-dead-letters');
    ({ queueUrl } = await sqs.createQueue('ivs-events', {
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 5 }),
    }));
    sqsEndpoint = sqs.endpoint;
  }
  const simulator = stack.use(
    await startSimulator({
      port: flags.port,
      host: flags.host,
      region: flags.region,
      accountId: flags.account,
      seed: flags.seed,
      enforcement: flags.quota,
      clockRate: flags.speed,
      timings: flags.timings === 'quick' ? QUICK_TIMINGS : REALISTIC_TIMINGS,
      quotas: { concurrentStreams: flags.concurrentStreams },
      sqs: { endpoint: sqsEndpoint, queueUrl },
    }).catch(explainStart(flags)),
  );
  const { control } = simulator;
  if (scenario !== undefined) {
    await control.loadScenario(scenario, flags.channels === undefined ? {} : { channels: flags.channels });
  } else if (flags.channels !== undefined) await control.createChannels(flags.channels);
  const arns = (await control.channels()).map(({ arn }) => arn);
  if (flags.live !== undefined && flags.live > 0) {
    await control.connect(arns.slice(0, flags.live), { autoReconnect: true, viewers: VIEWERS });
  }
  announce(io, { url: simulator.url, seed: simulator.seed, channels: arns.length, queueUrl, sqsEndpoint }, flags);
  const narration = flags.scenario === undefined || flags.json === true ? undefined : narrate(io, control);
  await Promise.all([stopped(io.signal), narration]);
}

/** Tells the notes of a scenario as it plays, until it has ended. */
async function narrate({ print, signal }: SimulatorIo, control: SimulatorClient): Promise<void> {
  let told = 0;
  while (!signal.aborted) {
    const state = await control.scenario();
    for (const { atMs, note } of state?.log.slice(told) ?? []) {
      if (note !== undefined) print(`${(atMs / 1000).toFixed(0).padStart(6)}s  ${note}`);
    }
    told = state?.log.length ?? 0;
    if (state === null || state.finished) return;
    await sleep(500, undefined, { signal }).catch(() => {});
  }
}

const VIEWERS = { target: 40, rampMs: 60_000, wobble: 0.2 };

interface Running {
  readonly url: string;
  readonly seed: string;
  readonly channels: number;
  readonly queueUrl: string | undefined;
  readonly sqsEndpoint: string | undefined;
}

function announce({ print }: SimulatorIo, running: Running, flags: Flags): void {
  if (flags.json === true) {
    print(JSON.stringify({ ...running, controlUrl: `${running.url}/_simulator` }));
    return;
  }
  print(`Amazon IVS simulator on ${running.url} (${flags.region}, account ${flags.account}, seed ${running.seed})`);
  print(`  control API   ${running.url}/_simulator/health`);
  print(`  channels      ${running.channels}; call quotas: ${flags.quota}; timings: ${flags.timings}, ${flags.speed}×`);
  if (flags.scenario !== undefined) print(`  scenario      ${flags.scenario}`);
  if (running.queueUrl !== undefined) print(`  events go to  ${running.queueUrl}`);
  if (flags.sqs === true) print(`  SQS endpoint  ${running.sqsEndpoint}`);
  print(`  try           aws ivs list-streams --region ${flags.region} --endpoint-url ${running.url}`);
  print('Ctrl-C ends it.');
}

function checkScenario(text: string, name: string): void {
  try {
    parseScenario(text, name);
  } catch (error) {
    if (error instanceof ScenarioError) throw new SimulatorCommandError(error.message);
    throw error;
  }
}

const explainStart =
  ({ port, host }: Flags, option = '--port') =>
  (error: NodeJS.ErrnoException): never => {
    if (error.code === 'EADDRINUSE')
      throw new SimulatorCommandError(`port ${port} on ${host} is taken: choose another ${option}`);
    if (error.code === 'EADDRNOTAVAIL')
      throw new SimulatorCommandError(`this machine has no address ${host}: check --host`);
    throw error;
  };

const stopped = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
