// One ad break on each of many channels: `npm run bench -- ad-breaks [--channels 60] [--daemons 2]`, a minute and a half.
// The account may insert one ad break a second, so N channels take at least N seconds. An operator requests all of them in one request; two
// daemons share the queue. Measured from the request to the arrival of the last call, compared with the plan in the answer. Daemons, Redis
// and the stand-ins of AWS are separate processes. Prints a table of goals and figures, writes bench/results/ad-breaks.json, and exits with
// 1 if a goal is missed.
import { parseArgs } from 'node:util';
import { type DaemonProcess, daemonProcess } from '#test/support/daemon-process.ts';
import { type AwsStand, awsStand, percentile, redisStand } from './noticing/stand.ts';
import { commandLine, machineLine, machineWith, writeResult } from './report/results.ts';

const config = `version: 1
polling: {full_interval: 5s, starving_interval: 5s}
`;

interface Turn {
  readonly channelArn: string;
  readonly at: string;
}

export async function run(args: string[]): Promise<void> {
  const options = { channels: { type: 'string', default: '60' }, daemons: { type: 'string', default: '2' } } as const;
  const { values } = parseArgs({ args, options });
  const [count, replicas] = [Number(values.channels), Number(values.daemons)];
  await using aws = await awsStand(1);
  await using redis = await redisStand();
  const channels = await aws.control.createChannels(
    Array.from({ length: count }, (_, n) => ({ name: `studio-${n}`, ads: true })),
  );
  const arns = channels.map(({ arn }) => arn);
  await aws.control.goLive(arns);
  await using daemons = new AsyncDisposableStack();
  const all: DaemonProcess[] = [];
  for (let n = 0; n < replicas; n += 1) all.push(daemons.use(await startDaemon(aws, redis.url)));
  const [first] = all as [DaemonProcess];

  const askedMs = await aws.control.now();
  const { status, body } = await first.ask('POST', '/v1/actions', {
    action: { insert_ad_break: { duration: '30s' } },
    targets: { channelArns: arns },
    reason: 'bench',
  });
  if (status !== 202) throw new Error(`the daemon answers ${status}: ${JSON.stringify(body)}`);
  const plan = body.plan as readonly Turn[];
  const bulk = await untilFinished(first, String(body.bulkId));

  const calls = await aws.control.calls({ operation: 'InsertAdBreak', limit: 10_000 });
  const inserted = calls.filter(({ outcome }) => outcome === 'ok');
  const throttled = calls.filter(({ status: code }) => code === 429).length;
  const times = inserted.map(({ at }) => at).toSorted((a, b) => a - b);
  const lastMs = times.at(-1)! - askedMs;
  const planned = new Map(plan.map(({ channelArn, at }) => [channelArn, Date.parse(at)]));
  const late = inserted.map(({ channelArn = '', at }) => at - (planned.get(channelArn) ?? Number.NaN));
  const byReplica = await Promise.all(all.map(doneBy));
  const rows = {
    'last call after the request': { goal: `at most ${count * 1.02} s`, seen: `${(lastMs / 1000).toFixed(2)} s` },
    'first call, and the time between two': {
      goal: '',
      seen: `${((times[0]! - askedMs) / 1000).toFixed(2)} s, ${((times.at(-1)! - times[0]!) / (times.length - 1)).toFixed(1)} ms`,
    },
    throttled: { goal: '0', seen: String(throttled) },
    'one break on each channel': {
      goal: String(count),
      seen: `${new Set(inserted.map(({ channelArn }) => channelArn)).size}, ${inserted.length} calls`,
    },
    'done by the replicas': { goal: '', seen: byReplica.join(', ') },
    'later than planned, median and most': {
      goal: '',
      seen: `${Math.round(percentile(late, 0.5))} and ${Math.round(percentile(late, 1))} ms`,
    },
  };
  const machine = await machineWith(redis.url);
  console.log(machineLine(machine));
  console.table(rows);
  const file = writeResult('ad-breaks.json', { command: commandLine(), machine, rows, outcomes: bulk.outcomes });
  console.log(file);
  const met =
    lastMs <= count * 1020 &&
    throttled === 0 &&
    inserted.length === count &&
    new Set(inserted.map(({ channelArn }) => channelArn)).size === count;
  if (!met) process.exitCode = 1;
}

async function untilFinished(
  daemon: DaemonProcess,
  bulkId: string,
): Promise<{ readonly outcomes: Readonly<Record<string, number>> }> {
  for (;;) {
    const { body } = await daemon.ask('GET', `/v1/actions/bulk/${bulkId}`);
    if (body.state === 'finished') return body;
    await new Promise((done) => setTimeout(done, 500));
  }
}

async function doneBy({ url }: DaemonProcess): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^autopilot_jobs_total\{job="insert_ad_break",outcome="done"\} (\S+)/m.exec(metrics)?.[1] ?? 0);
}

async function startDaemon(aws: AwsStand, redisUrl: string): Promise<DaemonProcess> {
  const daemon = await daemonProcess({
    config,
    env: { REDIS_URL: redisUrl, AWS_ENDPOINT_URL_IVS: aws.ivsUrl, AUTOPILOT_NAMESPACE: 'bench' },
  });
  while ((await daemon.ask('GET', '/readyz')).status !== 200) await new Promise((done) => setTimeout(done, 50));
  return daemon;
}
