// `doctor`: does the daemon have everything it needs? One line for each check, green or red, with what to do. It always ends by itself:
// every check has a time limit, and the exit code says whether anything is red.
import type { Command } from 'commander';
import type { Account } from '#config/accounts.ts';
import type { Config } from '#config/load.ts';
import type { Problem } from '#config/problem.ts';
import { AppError } from '#domain/errors.ts';
import type { Check, CheckResult, Verdict } from '#ops/doctor/check.ts';
import { type AccountFlags, chosenEntries, withCredentials } from './accounts.ts';
import { apiClient, type CliIo, CommandFailed, daemonUrl, example, printJson } from './support.ts';
import { defaultConfigFile } from './validate.ts';

interface Flags extends AccountFlags {
  readonly json?: boolean;
  readonly offline?: boolean;
}

const signs = { green: '✓ green  ', warning: '! warning', red: '✗ red    ', skipped: '– skipped' } as const;

export function register(program: Command, io: CliIo): void {
  program
    .command('doctor')
    .description('check configuration, credentials, permissions, queue, rule, Redis, clock, quotas and proxies')
    .argument('[file]', 'configuration (default: AUTOPILOT_CONFIG, else config/autopilot.yaml)')
    .option('--offline', 'only checks that need no connection: configuration, files, addresses, proxies')
    .option(
      '--account <name>',
      'only this entry of `accounts` (default: those of AUTOPILOT_ACCOUNTS, else all, each with its own role)',
    )
    .option('--region <region>', 'AWS Region, if the configuration has no `accounts` (default: AWS_REGION)')
    .option('--json', 'print the results as JSON')
    .addHelpText(
      'after',
      example(
        'ivs-autopilot doctor --offline',
        'REDIS_URL=redis://redis:6379 ivs-autopilot doctor',
        'ivs-autopilot doctor --account europe --json',
      ) + '\nThe exit code is 1 if anything is red; warnings and skipped checks do not count.\n',
    )
    .action(async (file: string | undefined, flags: Flags) => {
      const print = (result: CheckResult) => {
        if (!flags.json) for (const line of linesOf(result)) io.print(line);
      };
      const results = await examine(io, file ?? defaultConfigFile(io.env), flags, print);
      const bad = results.filter(({ status }) => status === 'red').length;
      if (flags.json) printJson(io, { healthy: bad === 0, results });
      else
        io.print(
          bad === 0 ? 'Everything is in order.' : `${bad} ${bad === 1 ? 'check needs' : 'checks need'} your attention.`,
        );
      if (bad > 0) throw new CommandFailed('', 1);
    });
}

function linesOf({ name, account, status, text, todo }: CheckResult): string[] {
  const whose = account === undefined ? '' : `${account}: `;
  return [`${signs[status]}  ${whose}${name}: ${text}`, ...(todo === undefined ? [] : [`             ${todo}`])];
}

async function examine(
  io: CliIo,
  file: string,
  flags: Flags,
  told: (result: CheckResult) => void,
): Promise<CheckResult[]> {
  const { env, signal } = io;
  const [{ loadConfig }, { lintConfig }, { formatProblem }, check, offline] = await Promise.all([
    import('#config/load.ts'),
    import('#config/lint.ts'),
    import('#config/problem.ts'),
    import('#ops/doctor/check.ts'),
    import('./doctor-offline.ts'),
  ]);
  const { green, red, warning, skipped, runChecks } = check;
  const config = await loadConfig(file, { queueUrl: env['AUTOPILOT_QUEUE_URL'] }).catch(
    (error: unknown) => error as Error,
  );
  const configuration: Check = {
    name: 'Configuration',
    run: async () => {
      const problems = config instanceof Error ? problemsOf(config) : lintConfig(config, undefined);
      if (problems.length === 0)
        return config instanceof Error
          ? red(config.message, `Name an existing file, or write one with \`ivs-autopilot init ${file}\`.`)
          : green(`${file}: ${config.ruleset.rules.length} rules, no problems`);
      return problems.map((problem) =>
        problem.severity === 'warning'
          ? warning(formatProblem(problem))
          : red(formatProblem(problem), `Correct this place; \`ivs-autopilot validate ${file}\` checks it.`),
      );
    },
  };
  if (config instanceof Error) return runChecks([configuration], signal, told);

  const { entries, account } = await accountsOf(config, flags, env, red);
  const several = entries.length > 1;
  const tell = ({ account: whose, ...result }: CheckResult) =>
    told(several && whose !== undefined ? { ...result, account: whose } : result);
  const checks: Check[] = [configuration, ...account, ...offline.checksOf(config, entries, env)];
  if (flags.offline) return runChecks(checks, signal, tell);
  const unreachable = offline.whyNothingCanBeCalled(env);
  if (unreachable !== undefined) {
    checks.push({ name: 'AWS', run: async () => skipped(`not checked: ${unreachable}`) });
    return runChecks(checks, signal, tell);
  }

  const [ops, { limitSettingsOf }, accounts] = await Promise.all([
    import('#ops/doctor/parts.ts'),
    import('#shard/settings.ts'),
    withCredentials(entries),
  ]);
  const redisUrl = env['REDIS_URL'];
  const redis = redisUrl === undefined ? undefined : await ops.doctorRedis(env, redisUrl);
  using parts = ops.doctorParts({
    env,
    config,
    accounts,
    limits: limitSettingsOf(config.settings),
    redis,
    namespace: env['AUTOPILOT_NAMESPACE'] ?? 'autopilot',
  });
  if (redisUrl === undefined)
    checks.push({
      name: 'Redis',
      run: async () => skipped('REDIS_URL is not set: the daemon starts a Redis of its own'),
    });
  checks.push(...parts.checks);
  const url = daemonUrl(env);
  checks.push(...ops.daemonChecks({ url, get: (path) => apiClient(io).get(path), nowMs: () => parts.nowMs() }));
  return await runChecks(checks, signal, tell);
}

/** What is wrong with a file that could be read, but is not valid. */
function problemsOf(error: Error): readonly Problem[] {
  const isInvalid = error instanceof AppError && error.code === 'CONFIG_INVALID';
  return isInvalid ? (error.details['problems'] as readonly Problem[]) : [];
}

/** The entries to check. A failure to determine them is itself a check, so that all other checks still run. */
async function accountsOf(
  config: Config,
  flags: AccountFlags,
  env: CliIo['env'],
  red: (text: string, todo: string) => Verdict,
): Promise<{ readonly entries: readonly Account[]; readonly account: readonly Check[] }> {
  const trouble = (text: string, todo: string): Check => ({ name: 'AWS account', run: async () => red(text, todo) });
  try {
    const all = await chosenEntries(config, flags, env);
    // The daemon in this environment carries only these, and its role may not be allowed to assume the roles of others.
    const { carriedAccounts, selectionOf } = await import('#config/carried.ts');
    const selection = flags.account === undefined ? selectionOf(undefined, env) : undefined;
    const entries = all.length === 0 ? all : carriedAccounts(all, selection);
    return { entries, account: entries.length > 0 ? [] : [trouble('no Region', 'Set AWS_REGION or --region.')] };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return {
      entries: [],
      account: [trouble(error.message, 'Correct AWS_REGION, AUTOPILOT_QUEUE_URL or AUTOPILOT_ACCOUNTS.')],
    };
  }
}
