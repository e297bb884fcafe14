// `notify test`: the daemon sends a message to each integration of a receiver, and the command prints their answers.
import type { Command } from 'commander';
import { follow } from './ask-action.ts';
import { apiClient, type CliIo, CommandFailed, example, printData } from './support.ts';

interface Job {
  readonly jobId: string;
  readonly state: string;
  readonly result: {
    readonly delivered?: number;
    readonly tried?: readonly { readonly to: string; readonly error?: string }[];
  } | null;
  readonly error?: string;
}

export function register(program: Command, io: CliIo): void {
  const notify = program
    .command('notify')
    .description('receivers of notifications')
    .addHelpText('after', example('ivs-autopilot notify test noc'));
  notify
    .command('test')
    .description('send a test message to each integration of a receiver and show each answer')
    .argument('<receiver>', 'its name in the configuration')
    .option('--account <name>', 'account whose workers send it (default: the first in the configuration)')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot notify test noc'))
    .action(async (receiver: string, { account, json }: { account?: string; json?: boolean }) => {
      const api = apiClient(io);
      const query = account === undefined ? '' : `?account=${encodeURIComponent(account)}`;
      const path = `/v1/receivers/${encodeURIComponent(receiver)}/test${query}`;
      const { jobId } = (await api.send('POST', path, {})) as { jobId: string };
      const left = `No longer following; the job ${jobId} continues.`;
      const job = await follow<Job>(io, api, `/v1/jobs/${encodeURIComponent(jobId)}`, ['completed', 'failed'], left);
      printData(io, json, job, () => linesOf(job));
      const { delivered = 0, tried = [] } = job.result ?? {};
      if (job.state === 'failed' || delivered < tried.length) throw new CommandFailed('', 1);
    });
}

function linesOf({ jobId, state, result, error }: Job): string[] {
  if (state === 'failed') return [`failed: ${error ?? 'unknown'} (job ${jobId})`];
  return (result?.tried ?? []).map((each) => `${each.to}  ${each.error === undefined ? 'delivered' : each.error}`);
}
