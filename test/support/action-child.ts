// A process that runs one job and dies at a chosen call: the crash tests start it with its task in the first argument.
// `kill.call` counts the calls that leave the process, from 1; it is really killed, so nothing is cleaned up.
import { Redis } from 'ioredis';
import type { ActionJob } from '#domain/action.ts';
import { actionRig, type RigOptions } from './action-rig.ts';

export interface ChildTask extends Pick<RigOptions, 'simulatorUrl' | 'prefix' | 'hookCommits' | 'receivers'> {
  readonly redisUrl: string;
  readonly jobId: string;
  readonly job: ActionJob;
  readonly kill: { readonly call: number; readonly moment: 'before' | 'after' };
}

const { redisUrl, jobId, job, kill, ...options } = JSON.parse(process.argv[2]!) as ChildTask;
const redis = new Redis(redisUrl);
const calls: Promise<unknown>[] = [];
const rig = await actionRig({
  ...options,
  redis,
  hook: (_name, call) => {
    const here = calls.length + 1 === kill.call;
    if (here && kill.moment === 'before') process.kill(process.pid, 'SIGKILL');
    const answer = call();
    calls.push(here ? answer.finally(() => process.kill(process.pid, 'SIGKILL')) : answer);
    return calls.at(-1)!;
  },
});
await rig.run(jobId, job);
// Some calls are made without waiting for them.
await Promise.allSettled(calls);
process.exit(0);
