// `rule reset`: start a rule again that its cap has stopped.
import type { Command } from 'commander';
import { noReason } from './controls.ts';
import { apiClient, type CliIo, example, printData } from './support.ts';

export function register(program: Command, io: CliIo): void {
  const rule = program
    .command('rule')
    .description('rules: start one again that its cap has stopped')
    .addHelpText('after', example('ivs-autopilot rule reset starving-slate --reason "encoders are repaired"'));
  rule
    .command('reset')
    .description('start a rule again that max_live_percent has stopped; what it held back is judged again at once')
    .argument('<rule>', 'name of the rule')
    .option('--reason <text>', 'the reason, for the audit', noReason)
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example('ivs-autopilot rule reset starving-slate --reason "encoders are repaired"'))
    .action(async (name: string, { reason, json }: { reason: string; json?: boolean }) => {
      const answer = await apiClient(io).send('POST', `/v1/rules/${encodeURIComponent(name)}/reset`, { reason });
      printData(io, json, answer, () => [`The rule ${name} may act again.`]);
    });
}
