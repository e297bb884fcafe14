// `run`: the daemon. Its process edge (signals, exit code) is src/main.ts.
import type { Command } from 'commander';
import { type ReplicaRole, replicaRoles } from '#domain/replica.ts';
import { choiceOption } from './options.ts';
import { type CliIo, example } from './support.ts';

interface RunFlags {
  readonly role: ReplicaRole;
  readonly paused?: boolean;
  readonly standby?: boolean;
  readonly accounts?: string;
}

export function register(program: Command, _io: CliIo): void {
  program
    .command('run')
    .description('run the daemon until it is told to stop (SIGTERM); SIGHUP reloads its configuration')
    .addOption(
      choiceOption('--role <role>', 'the part of the work that this process does', replicaRoles).default('all'),
    )
    .option('--paused', 'pause all automation from the start until `resume`: for a first day, a restore, an upgrade')
    .option('--standby', 'do nothing until `activate`: for a second Region that takes over when the first is lost')
    .option(
      '--accounts <names>',
      "the entries of `accounts` that this process carries, such as 'main,eu-*' (default: AUTOPILOT_ACCOUNTS, else all)",
    )
    .addHelpText(
      'after',
      example(
        'AUTOPILOT_CONFIG=config/autopilot.yaml REDIS_URL=redis://redis:6379 ivs-autopilot run',
        "ivs-autopilot run --accounts 'main,eu-*'",
      ),
    )
    .action(async (flags: RunFlags) => {
      const { runDaemon } = await import('#src/main.ts');
      process.exit(await runDaemon(flags));
    });
}
