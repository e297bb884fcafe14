// The implementation of the command `simulator`: starts a simulator, makes channels, plays a scenario and prints its addresses.

import { setTimeout as sleep } from 'node:timers/promises';
import type { SimulatorClient } from './client.ts';
import { type Flags, readScenario, SimulatorCommandError, type SimulatorIo } from './flags.ts';
import { parseScenario, ScenarioError } from './scenario/parse.ts';
import { startSimulator } from './server.ts';
import { QUICK_TIMINGS, REALISTIC_TIMINGS } from './settings.ts';
import { startLocalSqs } from './sqs.ts';

/** Runs until the signal is aborted. Rejects with a SimulatorCommandError for what the user can fix. */
export async function runSimulator(flags: Flags, io: SimulatorIo): Promise<void> {
  if (flags.sqs === true && flags.queueUrl !== undefined) {
    throw new SimulatorCommandError('give either --sqs or --queue-url, not both');
  }
  const scenario = flags.scenario === undefined ? undefined : readScenario(flags.scenario);
  if (scenario !== undefined) checkScenario(scenario, flags.scenario ?? '');
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

/** Prints the notes of a scenario as it plays, until it has ended. */
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
