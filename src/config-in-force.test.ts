import { expect, test } from 'vitest';
import { z } from 'zod';
import type { ApiToken } from '#api/auth.ts';
import { parseConfig } from '#config/load.ts';
import { changeTakes, settingsThatNeedRestart } from '#config/restart.ts';
import { configSchema } from '#config/schema.ts';
import { Secret } from '#domain/secret.ts';
import { systemClock } from '#runtime/clock.ts';
import { Scrubber } from '#runtime/logger.ts';
import { quietLogger, testMetrics } from '#test/support/quiet.ts';
import { ConfigKeeper } from './config-in-force.ts';

function configOf(text: string) {
  const result = parseConfig(`version: 1\n${text}`, 'f.yaml');
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

/** A value of each setting that is not its default. */
const changed: Readonly<Record<string, string>> = {
  defaults: '{mode: dry_run}',
  route: '{receiver: noc}\nreceivers: [{name: noc, webhook_configs: [{url: "https://example.com/"}]}]',
  heartbeat: '{receiver: noc}\nreceivers: [{name: noc, webhook_configs: [{url: "https://example.com/"}]}]',
  receivers: '[{name: noc, webhook_configs: [{url: "https://example.com/"}]}]',
  time_intervals: '[{name: night, time_intervals: [{weekdays: [friday]}]}]',
  inhibit_rules: '[{source_matchers: [\'rule="a"\'], target_matchers: [\'rule="b"\']}]',
  rules:
    '[{name: a, trigger: {event: {detail-type: [IVS Stream State Change]}}, actions: [{tag: {set: {a: b}}}]}, {name: b, trigger: {event: {detail-type: [IVS Stream State Change]}}, actions: [{tag: {set: {a: b}}}]}]',
  accounts: '[{name: a, region: us-west-2}]',
  'events.queue_url': 'https://sqs.us-west-2.amazonaws.com/111122223333/q',
  'events.silent_after': '3m',
  'polling.starving_interval': '7s',
  'polling.full_interval': '21s',
  'polling.inventory_interval': '7m',
  'polling.silent_after': '3m',
  'lint.unknown_fields': 'warn',
  'limits.share': '0.5',
  'limits.operations': '{PutMetadata: {account: 100}}',
  'limits.on_redis_down': 'fail',
  'limits.request_timeout': '4s',
  'metadata.max_bytes': '512',
  'metadata.packing': '"off"',
  'metadata.reconnect_window': '1s',
  'metadata.max_items_per_channel': '10',
  'metadata.max_items_total': '1000',
  'metadata.default_expires': '1m',
  alerts: '{endings: {receiver: noc}}\nreceivers: [{name: noc, webhook_configs: [{url: "https://example.com/"}]}]',
  approvers: '[{name: mara, slack_user_id: U012AB3CD}]',
  'controls.max_silences': '7',
  'controls.max_regex_steps': '700',
  'controls.max_holds': '7',
  'controls.max_bulk_actions': '3',
  'http.external_url': 'https://ivs.example.com',
  'http.max_body_bytes': '1000',
  'http.proxy_resolves_names': 'true',
  'http.requests_per_minute': '60',
  'http.trusted_proxies': '[10.0.0.0/8]',
  'http.auth_proxy': '{header_name: X-WEBAUTH-USER}, trusted_proxies: [10.0.0.5]',
  'http.max_connections': '100',
  'http.max_half_open': '10',
  'http.allow_private_webhooks': 'true',
  'http.allow_link_local_webhooks': 'true',
  'secrets.delivery_folders': '[/keys]',
  'secrets.read_folders': '[/keys]',
  'secrets.delivery_names': '[ivs/*]',
  'retention.sessions': '7d',
  'retention.samples': '3d',
  'retention.journal': '7d',
  'retention.journal_quiet': '1d',
  'redis.wait_replicas': '1',
  on_empty_state: 'start',
  shutdown_window: '20s',
  worker_concurrency: '3',
};

/** What is read only at the start. Remove a setting here when it starts to apply with a reload. */
const readAtStart = [
  'accounts',
  'events.queue_url',
  'limits',
  'metadata',
  'http',
  'redis',
  'on_empty_state',
  'shutdown_window',
  'worker_concurrency',
];

/** Sections that are one setting. */
const wholes: ReadonlySet<string> = new Set(['defaults', 'route', 'heartbeat', 'alerts']);

/** Every setting of the schema, parts of sections by `section.part`. */
function settingsOfSchema(): string[] {
  const sections = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }).properties ?? {};
  return Object.entries(sections).flatMap(([name, section]) => {
    const parts = typeof section === 'object' && section.type === 'object' ? Object.keys(section.properties ?? {}) : [];
    return parts.length === 0 || wholes.has(name) ? [name] : parts.map((part) => `${name}.${part}`);
  });
}

test('a reload applies every setting of the file or reports that it needs a restart', () => {
  const settings = settingsOfSchema().filter((name) => name !== 'version');
  expect(Object.keys(changed).toSorted()).toEqual(settings.toSorted());
  expect(Object.keys(changeTakes).toSorted()).toEqual(Object.keys(configSchema.shape).toSorted());

  const atStart = configOf(`rules: ${changed['rules']}`);
  for (const [setting, value] of Object.entries(changed)) {
    const [section, part] = setting.split('.') as [string, string?];
    const text = part === undefined ? `${section}: ${value}` : `${section}: {${part}: ${value}}`;
    const rules = setting === 'rules' ? '' : `rules: ${changed['rules']}\n`;
    const named = settingsThatNeedRestart(atStart, configOf(rules + text));

    const expected = readAtStart.filter((name) => name === setting || name === section);
    expect({ setting, named }).toEqual({ setting, named: expected });
  }
});

function setup() {
  const told = { applied: [] as string[], tokens: [] as string[] };
  const source = { text: '', tokens: ['one'] };
  const token = (name: string): ApiToken => ({ name, role: 'viewer', value: new Secret(name.repeat(20)) });
  const metrics = testMetrics();
  const keeper = new ConfigKeeper({
    config: configOf(''),
    loadConfig: async () => configOf(source.text),
    readTokens: () => source.tokens.map(token),
    apply: ({ hash }, tokens) => {
      told.applied.push(hash);
      told.tokens = tokens.map(({ name }) => name);
    },
    clock: systemClock,
    logger: quietLogger(),
    metrics,
    scrubber: new Scrubber(),
  });
  const loads = async () =>
    Object.fromEntries((await metrics.configLoads.get()).values.map(({ labels, value }) => [labels['outcome'], value]));
  return { keeper, told, source, loads };
}

test('a reload for any reason is applied, counted, and compared with the start', async () => {
  const { keeper, told, source, loads } = setup();

  source.text = 'limits: {share: 0.5}';
  await keeper.reload('SIGHUP');
  source.text = 'limits: {share: 0.5}\nworker_concurrency: 3';
  await keeper.reloadIfChanged('file change');
  const { config, needRestart, error } = keeper.inForce;

  expect(needRestart).toEqual(['limits', 'worker_concurrency']);
  expect(error).toBeUndefined();
  expect(told.applied).toEqual([expect.any(String), config.hash]);
  expect(await loads()).toEqual({ loaded: 3 });
});

test('an equivalent file loads nothing; a changed token does', async () => {
  const { keeper, told, source } = setup();

  await keeper.reloadIfChanged('file change');
  expect(told.applied).toEqual([]);
  source.tokens = ['one', 'two'];
  await keeper.reloadIfChanged('file change');

  expect(told).toMatchObject({ tokens: ['one', 'two'] });
  expect(told.applied).toHaveLength(1);
});

test('an invalid configuration changes nothing and is reported once, until it is corrected', async () => {
  const { keeper, told, source, loads } = setup();
  const { hash } = keeper.inForce.config;

  source.text = 'nonsense: 1';
  await expect(keeper.reload('API (ann)')).rejects.toThrow();
  await keeper.reloadIfChanged('file change');
  expect(keeper.inForce).toMatchObject({ config: { hash }, error: expect.stringContaining('nonsense') });
  expect(told.applied).toEqual([]);
  expect(await loads()).toEqual({ loaded: 1, refused: 1 });
  source.text = '';
  await keeper.reloadIfChanged('file change');

  expect(keeper.inForce.error).toBeUndefined();
  expect(await loads()).toEqual({ loaded: 2, refused: 1 });
});
