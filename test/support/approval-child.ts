// A process that takes one step of an approval and is really killed right before or right after its commit: the crash test starts it with
// its task in the first argument.
import { Redis } from 'ioredis';
import { type ApprovalStep, approvalBench, takeStep } from './approval-bench.ts';

export interface ApprovalTask {
  readonly redisUrl: string;
  readonly prefix: string;
  readonly step: ApprovalStep;
  readonly dies: 'before' | 'after';
}

const { redisUrl, prefix, step, dies } = JSON.parse(process.argv[2]!) as ApprovalTask;
const die = () => process.kill(process.pid, 'SIGKILL');
const bench = approvalBench(new Redis(redisUrl), prefix);
await bench.state.refresh();
await takeStep(bench, step, { beforeCommit: dies === 'before' ? die : undefined });
die();
