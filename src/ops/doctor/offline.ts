// What can be checked without a connection: the format of environment variables, files, addresses, and which proxy calls use. Imports no
// client of AWS or Redis, so that `doctor --offline` answers at once.
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Account } from '#config/accounts.ts';
import { problemsOfQueueUrl } from '#config/accounts.ts';
import type { Config } from '#config/load.ts';
import { namedFiles } from '#domain/action.ts';
import { errorCatalog } from '#domain/error-catalog.ts';
import { AppError, messageOf } from '#domain/errors.ts';
import { namesOf } from '#domain/receiver.ts';
import { problemOfRegion } from '#domain/regions.ts';
import { Egress, type Environment, processEgress, shownProxy } from '#runtime/egress.ts';
import { redisOfFile } from '#runtime/redis-servers.ts';
import { parseRedisUrl, redisAddressText } from '#runtime/redis-url.ts';
import { installCommand, readTelemetrySettings, telemetryPackages } from '#runtime/telemetry-settings.ts';
import { actionUses } from '../config-uses.ts';
import { type Check, green, red, skipped, type Verdict, warning } from './check.ts';

export interface OfflineOptions {
  readonly config: Config;
  readonly accounts: readonly Account[];
  readonly env: Environment;
  /** Why a webhook may not go to a host, as far as this can be determined without resolving it. */
  readonly refusalOf: (hostname: string) => string | undefined;
  /** Reads the tokens of the API and returns how many there are. @throws AppError CONFIG_INVALID */
  readonly countTokens: () => number;
}

/** The checks of `doctor --offline`; a full `doctor` begins with them. */
export function offlineChecks(options: OfflineOptions): Check[] {
  const { accounts, env } = options;
  return [
    ...accounts.map(
      (account): Check => ({ name: 'Region and queue', account: account.name, run: async () => placeOf(account) }),
    ),
    { name: 'Redis address', run: async () => [redisAddress(env), ...ownRedisAddresses(options)] },
    { name: 'API', run: async () => api(options) },
    { name: 'Credentials', run: async () => credentialsIn(env) },
    { name: 'Files', run: async () => files(options) },
    { name: 'Webhooks', run: async () => webhooks(options) },
    { name: 'Optional packages', run: async () => packages(options) },
    { name: 'OpenTelemetry', run: async () => telemetry(env) },
    { name: 'Endpoints', run: async () => endpoints(env) },
    { name: 'Proxies', run: async () => proxies(options) },
  ];
}

/** A red line with the remedy of the error's code. */
function redBy(error: unknown): Verdict {
  const todo = error instanceof AppError ? errorCatalog[error.code].remedy : 'Read the message.';
  return red(messageOf(error), todo);
}

function placeOf(account: Account): Verdict[] {
  const { region, queue_url: queueUrl, sharedQueue } = account;
  const ofRegion = problemOfRegion(region);
  const ofQueue = queueUrl === undefined ? [] : problemsOfQueueUrl(queueUrl, sharedQueue ? undefined : account);
  return [
    ofRegion === undefined
      ? green(region)
      : ofRegion.severity === 'error'
        ? red(ofRegion.message, 'Correct the Region of the account, or AWS_REGION.')
        : warning(ofRegion.message),
    ...(queueUrl === undefined ? [skipped('no queue is configured: the daemon relies on polls alone')] : []),
    ...ofQueue.map((problem) => red(`${queueUrl}: ${problem}`, 'Correct queue_url, or AUTOPILOT_QUEUE_URL.')),
    ...(queueUrl !== undefined && ofQueue.length === 0 ? [green(`the queue ${queueUrl}`)] : []),
  ];
}

function redisAddress(env: Environment): Verdict {
  const url = env['REDIS_URL'];
  if (url === undefined) return skipped('REDIS_URL is not set: the daemon starts a Redis of its own');
  try {
    return green(redisAddressText(parseRedisUrl(url)));
  } catch (error) {
    return redBy(error);
  }
}

/** For accounts with a Redis of their own. */
function ownRedisAddresses({ config, accounts }: OfflineOptions): Verdict[] {
  const logger = { warn: () => undefined };
  return accounts.flatMap(({ name, redis_url_file: path }) => {
    if (path === undefined) return [];
    const index = config.settings.accounts?.findIndex((account) => account.name === name);
    const setting = `accounts[${index}].redis_url_file (${name})`;
    try {
      return [green(`${redisOfFile({ path, setting, logger, onSecret: () => undefined }).address} for ${name}`)];
    } catch (error) {
      return [redBy(error)];
    }
  });
}

function api({ env, countTokens }: OfflineOptions): Verdict[] {
  const port = env['AUTOPILOT_HTTP_PORT'] ?? '8080';
  const host = env['AUTOPILOT_HTTP_HOST'] || '127.0.0.1';
  const verdicts: Verdict[] = [];
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535)
    verdicts.push(red(`AUTOPILOT_HTTP_PORT is ${JSON.stringify(port)}`, 'Set it to a port number from 0 to 65535.'));
  try {
    const tokens = countTokens();
    const shown = `${host}:${port}, ${tokens} ${tokens === 1 ? 'token' : 'tokens'}`;
    verdicts.push(tokens > 0 ? green(shown) : warning(`${shown}: it will listen on this machine only`));
  } catch (error) {
    verdicts.push(redBy(error));
  }
  return verdicts;
}

/** Where the SDK will look first; this cannot determine whether AWS accepts what is there. */
function credentialsIn(env: Environment): Verdict {
  const { AWS_PROFILE: profile, AWS_ROLE_ARN: role } = env;
  const found =
    profile !== undefined
      ? `profile ${profile} (AWS_PROFILE)`
      : env['AWS_ACCESS_KEY_ID'] && env['AWS_SECRET_ACCESS_KEY']
        ? 'keys in the environment'
        : role && env['AWS_WEB_IDENTITY_TOKEN_FILE']
          ? `${role}, by the token of a service account (IRSA)`
          : env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] || env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI']
            ? 'the role of this task or pod'
            : undefined;
  if (found) return green(found);
  if (env['AWS_ACCESS_KEY_ID'] || env['AWS_SECRET_ACCESS_KEY'])
    return red('only half of a key is in the environment', 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY both.');
  return skipped('none in the environment: the SDK looks for a default profile and the role of the machine');
}

interface NamedFile {
  readonly path: string;
  readonly by: string;
  readonly use: 'read' | 'write';
}

function files({ config, env }: OfflineOptions): Verdict[] {
  const named: NamedFile[] = [
    ...config.ruleset.receivers.flatMap(({ name, integrations }) =>
      integrations.flatMap((integration) =>
        namesOf(integration).files.map((path) => ({ path, by: `receiver ${name}`, use: 'read' as const })),
      ),
    ),
    ...actionUses(config.ruleset).flatMap(({ action, params }) =>
      namedFiles(params ?? {}).map(({ path, use }) => ({ path, by: action, use })),
    ),
    ...config.settings.secrets.delivery_folders.map((folder) => ({
      path: resolve(folder, 'file'),
      by: 'secrets.delivery_folders',
      use: 'write' as const,
    })),
    ...['AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', 'NODE_EXTRA_CA_CERTS'].flatMap(
      (name) => (env[name] ? [{ path: env[name], by: name, use: 'read' as const }] : []),
    ),
  ];
  const unique = new Map(
    named.filter(({ path }) => !/\{[{%]/.test(path)).map((file) => [`${file.use} ${file.path}`, file]),
  );
  if (unique.size === 0) return [skipped('none named')];
  const problems = Array.from(unique.values(), (file) => problemOfFile(file)).filter(
    (problem) => problem !== undefined,
  );
  return problems.length > 0 ? problems : [green(`${unique.size} named, all usable`)];
}

function problemOfFile({ path, by, use }: NamedFile): Verdict | undefined {
  try {
    if (use === 'write') {
      accessSync(dirname(resolve(path)), constants.W_OK);
      return undefined;
    }
    if (!statSync(path).isFile()) return red(`${path} (${by}) is not a file`, 'Name a regular file.');
    return readFileSync(path, 'utf8').trim() === ''
      ? red(`${path} (${by}) is empty`, 'Write the expected content into it.')
      : undefined;
  } catch (error) {
    return use === 'write'
      ? red(
          `the folder of ${path} (${by}) cannot be written to: ${messageOf(error)}`,
          'Create the folder, and let the daemon’s user write there.',
        )
      : red(
          `${path} (${by}) cannot be read: ${messageOf(error)}`,
          'Create the file, mount the secret, or let the daemon’s user read it.',
        );
  }
}

/** The kinds of integrations whose package most installations do not need. */
const packageOf = { email: 'nodemailer', sns: '@aws-sdk/client-sns' } as const;

function packages({ config }: OfflineOptions): Verdict[] {
  const used = new Set(
    config.ruleset.receivers.flatMap(({ integrations }) =>
      integrations.flatMap(({ kind }) => (kind === 'email' || kind === 'sns' ? packageOf[kind] : [])),
    ),
  );
  if (used.size === 0) return [skipped('none is needed')];
  return Array.from(used, (name) =>
    isInstalled(name)
      ? green(`${name} is installed`)
      : red(`${name} is not installed, but a receiver needs it`, `npm install ${name} beside ivs-autopilot`),
  );
}

function telemetry(env: Environment): Verdict[] {
  const { settings, problems } = readTelemetrySettings(env);
  const verdicts = problems.map((problem) => red(problem, errorCatalog.TELEMETRY_INVALID.remedy));
  if (!settings) return verdicts.length > 0 ? verdicts : [skipped('no endpoint is set: nothing is exported')];
  const missing = Object.keys(telemetryPackages).filter((name) => !isInstalled(name));
  if (missing.length > 0)
    verdicts.push(red(`${missing.join(', ')}: not installed, and an endpoint is set`, installCommand));
  for (const signal of ['traces', 'metrics'] as const)
    verdicts.push(green(`${signal}: ${settings[signal]?.url.origin ?? 'off'}`));
  return verdicts;
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** The hosts that webhooks go to, with who names them. Full addresses may be secrets. */
function* webhookHosts({ config }: OfflineOptions): Generator<{ readonly url: URL | undefined; readonly by: string }> {
  for (const { name, integrations } of config.ruleset.receivers)
    for (const { url, urlFile } of integrations.flatMap((integration) => namesOf(integration).addresses))
      yield* addressIn(url, urlFile, `receiver ${name}`);
  for (const { action, params } of actionUses(config.ruleset)) {
    const {
      url,
      url_file: file,
      deliver,
    } = (params ?? {}) as {
      url?: string;
      url_file?: string;
      deliver?: { webhook?: { url_file?: string } };
    };
    if (action === 'webhook') yield* addressIn(url, file, action);
    yield* addressIn(undefined, deliver?.webhook?.url_file, `${action}: deliver`);
  }
}

function* addressIn(url: string | undefined, file: string | undefined, by: string) {
  let text = url;
  try {
    text ??= file === undefined ? undefined : readFileSync(file, 'utf8').trim();
  } catch {
    // Reported as a file.
  }
  if (text && !/\{[{%]/.test(text)) yield { url: URL.parse(text) ?? undefined, by };
}

function webhooks(options: OfflineOptions): Verdict[] {
  const verdicts: Verdict[] = [];
  const hosts = new Set<string>();
  for (const { url, by } of webhookHosts(options)) {
    if (!url || !/^https?:$/.test(url.protocol)) {
      verdicts.push(
        red(`the address of ${by} is not an http or https URL`, 'Write https://… in the configuration or the file.'),
      );
      continue;
    }
    const refusal = options.refusalOf(url.hostname);
    if (refusal !== undefined) verdicts.push(red(`${by}: ${refusal}`, errorCatalog.WEBHOOK_REFUSED.remedy));
    else hosts.add(url.hostname);
  }
  if (hosts.size > 0) verdicts.push(green([...hosts].join(', ')));
  return verdicts.length > 0 ? verdicts : [skipped('no address is known: none is named, or its file cannot be read')];
}

function endpoints(env: Environment): Verdict[] {
  const set = Object.entries(env).filter(([name, value]) => /^AWS_ENDPOINT_URL(_|$)/.test(name) && value);
  if (set.length === 0) return [green('the real AWS')];
  return set.map(([name, value = '']) => {
    const url = URL.parse(value);
    return url && /^https?:$/.test(url.protocol)
      ? warning(`${name}: calls go to ${url.origin}, not to the real AWS`)
      : red(`${name} is not an http or https URL`, 'Correct it, or remove it to call the real AWS.');
  });
}

/** The services that every daemon calls, by the names of their endpoints and variables. */
const services: readonly (readonly [host: string, variable: string])[] = [
  ['ivs', 'IVS'],
  ['sts', 'STS'],
  ['events', 'EVENTBRIDGE'],
  ['secretsmanager', 'SECRETS_MANAGER'],
  ['ssm', 'SSM'],
];

function* awsUrls({ accounts, env }: OfflineOptions): Generator<URL> {
  for (const { region, queue_url: queueUrl } of accounts) {
    const urls = services.map(
      ([host, variable]) =>
        env[`AWS_ENDPOINT_URL_${variable}`] ?? env['AWS_ENDPOINT_URL'] ?? `https://${host}.${region}.amazonaws.com`,
    );
    const queue = env['AWS_ENDPOINT_URL_SQS'] ?? env['AWS_ENDPOINT_URL'] ?? queueUrl;
    for (const text of [...urls, ...(queue === undefined ? [] : [queue])]) {
      const url = URL.parse(text);
      if (url) yield url;
    }
  }
}

function proxies(options: OfflineOptions): Verdict[] {
  const { env } = options;
  let egress: Egress;
  try {
    egress = processEgress(env);
  } catch (error) {
    return [redBy(error)];
  }
  const verdicts: Verdict[] = egress.unreadable.map((entry) =>
    red(
      `NO_PROXY has ${JSON.stringify(entry)}, which names no host`,
      'Use a form that docs/network.md lists: a name, an address or a network, each optionally with a port.',
    ),
  );
  if (env['ALL_PROXY'] || env['all_proxy'])
    verdicts.push(warning('ALL_PROXY is set but not supported: set HTTPS_PROXY'));
  if (egress.proxies.length === 0) return [...verdicts, green('none: everything is reached directly')];
  const byRoute = new Map<string, Set<string>>();
  const { settings } = readTelemetrySettings(env);
  const collectors = [settings?.traces?.url, settings?.metrics?.url];
  const urls = [...awsUrls(options), ...Array.from(webhookHosts(options), ({ url }) => url), ...collectors];
  for (const url of urls.filter((each) => each !== undefined)) {
    const route = egress.routeTo(url);
    const by = route.proxy ? `by ${shownProxy(route.proxy)} (${route.proxy.variable})` : `directly (${route.because})`;
    byRoute.set(by, (byRoute.get(by) ?? new Set()).add(url.host));
  }
  return [...verdicts, ...Array.from(byRoute, ([by, hosts]) => green(`${by}: ${[...hosts].join(', ')}`))];
}
