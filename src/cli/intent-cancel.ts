// `… cancel`: cancels what waits for the end of a channel's stream; one command for each kind of intent.
import type { Command } from 'commander';
import type { IntentKind } from '#domain/action-memory.ts';
import { resolveChannel } from './channels.ts';
import { apiClient, type CliIo, example, printData } from './support.ts';

/** Adds the command to its group, whose name is part of the example. */
export function cancelCommand(group: Command, io: CliIo, kind: IntentKind): void {
  group
    .command('cancel')
    .description('cancel the change that waits for the end of a channel’s stream')
    .argument('<channel>', 'ARN, last part of the ARN, or name')
    .option('--json', 'print the answer as JSON')
    .addHelpText('after', example(`ivs-autopilot ${group.name()} cancel studio-a`))
    .action(async (channel: string, { json }: { json?: boolean }) => {
      const api = apiClient(io);
      const arn = await resolveChannel(api, channel);
      const intent = (await api.send('DELETE', `/v1/intents/${kind}/${encodeURIComponent(arn)}`)) as {
        readonly summary: string;
      };
      printData(io, json, intent, () => [`Cancelled: ${intent.summary}`]);
    });
}
