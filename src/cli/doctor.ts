// `doctor`: is everything there that the daemon needs? One line for each check, green or red, with what to do.
import type { Command } from 'commander';
import type { Check, CheckResult } from '#ops/doctor/check.ts';
import { type AccountFlags, chosenAccounts } from './accounts.ts';
import { apiClient, type CliIo, CommandFailed, daemonUrl, example, printJson } from './support.ts';
import { defaultConfigFile } from './validate.ts';

interface Flags extends AccountFlags {
  readonly json?: boolean;
}

const signs = { green: '✓ green  ', red: '✗ red    ', skipped: '– skipped' } as const;

export function register(program: Command, io: CliIo): void {
  program
    .command('doctor')
    .description('check credentials, permissions, queue, rule, Redis, clock, quotas and configuration, line by line')
    .argument('[file]', 'configuration (default: AUTOPILOT_CONFIG, else config/autopilot.yaml)')
    .option('--account <name>', 'only this entry of `accounts` (default: all, each with its own role)')
    .option('--region <region>', 'AWS region, without `accounts` in the configuration (default: AWS_REGION)')
    .option('--json', 'print the results as JSON')
    .addHelpText(
      'after',
      example('REDIS_URL=redis://redis:6379 ivs-autopilot doctor', 'ivs-autopilot doctor --account europe --json'),
    )
    .action(async (file: string | undefined, flags: Flags) => {
      const results = await examine(io, file ?? defaultConfigFile(io.env), flags);
      const bad = results.filter(({ status }) => status === 'red').length;
      if (flags.json) printJson(io, { healthy: bad === 0, results });
      else {
        const several = new Set(results.map(({ account }) => account).filter(Boolean)).size > 1;
        for (const { name, account, status, text, todo } of results) {
          const whose = several && account !== undefined ? `${account}: ` : '';
          io.print(`${signs[status]}  ${whose}${name}: ${text}`);
          if (todo !== undefined) io.print(`             ${todo}`);
        }
        io.print(
          bad === 0 ? 'Everything is as it should be.' : `${bad} ${bad === 1 ? 'thing needs' : 'things need'} you.`,
        );
      }
      if (bad > 0) throw new CommandFailed('', 1);
    });
}

async function examine(io: CliIo, file: string, flags: AccountFlags): Promise<CheckResult[]> {
  const { env } = io;
  const [{ loadConfig }, { lintConfig }, { formatProblem }, ops, check] = await Promise.all([
    import('#config/load.ts'),
    import('#config/lint.ts'),
    import('#config/problem.ts'),
    import('#ops/doctor/parts.ts'),
    import('#ops/doctor/check.ts'),
  ]);
  const { green, red, skipped, runChecks } = check;
  const config = await loadConfig(file, { queueUrl: env['AUTOPILOT_QUEUE_URL'] }).catch(
    (error: unknown) => error as Error,
  );
  const configuration: Check = {
    name: 'Configuration',
    run: async () => {
      if (config instanceof Error)
        return red(config.message.split('\n')[0] ?? '', `\`ivs-autopilot validate ${file}\` lists every problem.`);
      const problems = lintConfig(config, undefined);
      if (problems.length === 0)
        return green(`${file}: ${config.ruleset.rules.length} rules, nothing to complain about`);
      return problems.map((problem) =>
        problem.severity === 'error'
          ? red(formatProblem(problem), 'Correct the place that is named.')
          : green(formatProblem(problem)),
      );
    },
  };
  if (config instanceof Error) return runChecks([configuration], io.signal);

  const accounts = await chosenAccounts(config, flags, io);
  const { limitSettingsOf } = await import('#shard/settings.ts');
  const checks: Check[] = [configuration];
  using parts = ops.doctorParts({
    config,
    accounts,
    limits: limitSettingsOf(config.settings),
    redisUrl: env['REDIS_URL'],
    namespace: env['AUTOPILOT_NAMESPACE'] ?? 'autopilot',
  });
  if (accounts.length === 0)
    checks.push({ name: 'AWS account', run: async () => red('no Region', 'Set AWS_REGION, or give --region.') });
  if (env['REDIS_URL'] === undefined)
    checks.push({
      name: 'Redis',
      run: async () => skipped('REDIS_URL is not set: the daemon starts a Redis of its own'),
    });
  checks.push(...parts.checks);
  const url = daemonUrl(env);
  checks.push(...ops.daemonChecks({ url, get: (path) => apiClient(io).get(path), nowMs: () => parts.nowMs() }));
  return await runChecks(checks, io.signal);
}
