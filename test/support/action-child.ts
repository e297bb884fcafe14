// A process that runs one job and dies at a chosen call: started by the crash tests with its task in the first argument.
// `kill.call` counts the calls that leave the process, from 1; it is really killed, so nothing is cleaned up.
import { Redis } from 'ioredis';
import type { ActionJob } from '#domain/action.ts';
import { actionRig } from './action-rig.ts';

export interface ChildTask {
  readonly simulatorUrl: string;
  readonly redisUrl: string;
  readonly prefix: string;
  readonly jobId: string;
  readonly job: ActionJob;
  readonly kill: { readonly call: number; readonly moment: 'before' | 'after' };
}

const { simulatorUrl, redisUrl, prefix, jobId, job, kill } = JSON.parse(process.argv[2]!) as ChildTask;
const redis = new Redis(redisUrl);
let calls = 0;
const rig = await actionRig({
  simulatorUrl,
  redis,
  prefix,
  hook: async (_name, call) => {
    calls += 1;
    const here = calls === kill.call;
    if (here && kill.moment === 'before') process.kill(process.pid, 'SIGKILL');
    try {
      return await call();
    } finally {
      if (here) process.kill(process.pid, 'SIGKILL');
    }
  },
});
await rig.run(jobId, job);
process.exit(0);
