// How fast this machine is, in one figure that makes tables from different machines comparable: events a second of a loop that only
// receives, parses and deletes.
import { randomUUID } from 'node:crypto';
import { bareLoop } from '../intake/bare-loop.ts';
import { channelArnAt, eventBody, streamIdAt } from './events.ts';
import { awsStand, fill } from './stand.ts';

export interface BareRate {
  readonly eventsPerSecond: number;
  readonly cpuMsPerEvent: number;
}

const events = 4_000;

/** Measures it, after a warm-up, with stand-ins of its own. */
export async function bareRate(): Promise<BareRate> {
  await using aws = await awsStand(2);
  const [warmUp, measured] = aws.queueUrls as [string, string];
  for (const queueUrl of [warmUp, measured]) {
    const bodies = Array.from({ length: events }, (_, index) =>
      eventBody('Starvation End', channelArnAt(index), streamIdAt(index), Date.now(), randomUUID()),
    );
    await fill(aws.sqsEndpoint, queueUrl, bodies);
  }
  await bareLoop(aws.sqsEndpoint, warmUp, events);
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await bareLoop(aws.sqsEndpoint, measured, events);
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { eventsPerSecond: Math.round(events / seconds), cpuMsPerEvent: (user + system) / 1000 / events };
}

/** The line above a table. */
export function bareRateLine({ eventsPerSecond, cpuMsPerEvent }: BareRate): string {
  return `here a loop that only receives and deletes takes ${eventsPerSecond} events/s, at ${cpuMsPerEvent.toFixed(3)} ms of CPU each`;
}
