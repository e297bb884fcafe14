import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '#config/load.ts';
import { type ActionJob, type ActionName, type ActionParams, namedFiles } from '#domain/action.ts';
import { AppError } from '#domain/errors.ts';
import { readSecretFile } from '#secrets/secret-file.ts';
import { FileAuthority } from './file-authority.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-authority-'));
  await mkdir(join(folder, 'open'));
  for (const name of ['noc_url', 'noc_key', 'rule_url', 'rule_key', 'key_url', 'key_key', 'other_url', 'open/key'])
    await writeFile(join(folder, name), `content of ${name}`);
});
afterAll(() => rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);

/** Signs in a receiver, in a rule, in a rule's delivery and in a rule with its address spelled out. */
function authority(secrets = '{}'): FileAuthority {
  const text = JSON.stringify({
    version: 1,
    receivers: [{ name: 'noc', webhook_configs: [{ url_file: at('noc_url'), hmac_key_file: at('noc_key') }] }],
    defaults: { guards: { max_per_hour: 5 } },
    rules: [
      {
        name: 'hook',
        mode: 'off',
        trigger: { http: { name: 'hook' } },
        actions: [
          { webhook: { url_file: at('rule_url'), hmac_key_file: at('rule_key') } },
          { webhook: { url: 'https://example.com/hook', hmac_key_file: at('key_key') } },
          { webhook: { url_file: at('other_url'), body: { url_file: at('other_url'), hmac_key_file: at('noc_key') } } },
          { rotate_stream_key: { deliver: { webhook: { url_file: at('key_url'), hmac_key_file: at('key_key') } } } },
        ],
      },
    ],
    secrets: JSON.parse(secrets),
  });
  const parsed = parseConfig(text, at('autopilot.yaml'));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return new FileAuthority({ config: () => parsed.config, env: {} });
}

const operator = { kind: 'operator', who: 'token mara', reason: 'x' } as const;
const jobOf = (action: ActionName, params: object) => ({ action, params: params as ActionParams, cause: operator });
const hook = (params: object) => jobOf('webhook', params);
const delivery = (deliver: object) => jobOf('rotate_stream_key', { deliver });

/** The setting that the refusal names; undefined: accepted. */
async function refusalOf(files: FileAuthority, job: ReturnType<typeof jobOf>): Promise<unknown> {
  try {
    await files.assertRequest(job);
    return undefined;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    expect(error.code).toBe('FILE_NOT_ALLOWED');
    return error.details['setting'];
  }
}

describe('by default, a request signs', () => {
  it.each<[string, (name: (name: string) => string) => ReturnType<typeof jobOf>]>([
    ['for a receiver’s address', (f) => hook({ url_file: f('noc_url'), hmac_key_file: f('noc_key') })],
    ['for a rule’s address', (f) => hook({ url_file: f('rule_url'), hmac_key_file: f('rule_key') })],
    ['for an address in a rule', (f) => hook({ url: 'https://example.com/hook', hmac_key_file: f('key_key') })],
    [
      'for the address of a rule’s delivery',
      (f) => delivery({ webhook: { url_file: f('key_url'), hmac_key_file: f('key_key') } }),
    ],
    ['nothing, for any file that is open', (f) => hook({ url_file: f('other_url') })],
  ])('%s', async (_, job) => {
    expect(await refusalOf(authority(), job(at))).toBeUndefined();
  });

  it.each<[string, (name: (name: string) => string) => ReturnType<typeof jobOf>]>([
    ['an address of its choice', (f) => hook({ url: 'https://evil.example/', hmac_key_file: f('noc_key') })],
    [
      'an address of its choice, with the key of a rule’s address',
      (f) => hook({ url: 'https://evil.example/', hmac_key_file: f('key_key') }),
    ],
    ['the file of another address', (f) => hook({ url_file: f('other_url'), hmac_key_file: f('noc_key') })],
    ['the address of another receiver', (f) => hook({ url_file: f('rule_url'), hmac_key_file: f('noc_key') })],
    ['a file that is no key', (f) => hook({ url_file: f('noc_url'), hmac_key_file: f('other_url') })],
    ['a file as address and key', (f) => hook({ url_file: f('noc_key'), hmac_key_file: f('noc_key') })],
    ['another spelling of the key', (f) => hook({ url_file: f('other_url'), hmac_key_file: f('open/../noc_key') })],
    [
      'a key delivered elsewhere',
      (f) => delivery({ webhook: { url_file: f('other_url'), hmac_key_file: f('key_key') } }),
    ],
  ])('never for %s', async (_, job) => {
    const files = authority();
    expect(await refusalOf(files, job(at))).toBe('secrets.read_folders');
    // A request that an earlier version accepted, and that waits in Redis, is checked when it runs.
    const key = namedFiles(job(at).params).find(({ place }) => place.at(-1) === 'hmac_key_file')!.path;
    const bounds = files.readBounds(job(at), key);
    await expect(readSecretFile(key, bounds)).rejects.toMatchObject({ code: 'FILE_NOT_ALLOWED' });
  });
});

it('a folder that secrets.read_folders names is open to keys of any address, and no other folder is', async () => {
  const files = authority(`{"read_folders": ["${folder}/open"]}`);

  expect(await refusalOf(files, hook({ url: 'https://any.example/', hmac_key_file: at('open/key') }))).toBeUndefined();
  expect(await refusalOf(files, hook({ url: 'https://any.example/', hmac_key_file: at('noc_key') }))).toBe(
    'secrets.read_folders',
  );
});

it('a rule signs with any key', async () => {
  const job = {
    params: { url: 'https://any.example/', hmac_key_file: at('noc_key') } as ActionParams,
    cause: { kind: 'rule' },
  };

  expect(authority().readBounds(job as ActionJob, at('noc_key'))).toBeUndefined();
});

describe('secrets.delivery_names', () => {
  const named = '{"delivery_names": ["ivs/*/stream-key", "/ivs/exact", "arn:aws:secretsmanager:*:secret:ivs/*"]}';
  it.each<[string, string, string | undefined]>([
    ['any name by default', '{}', undefined],
    ['no name, if the list is empty', '{"delivery_names": []}', 'secrets.delivery_names'],
    ['no other name', named, 'secrets.delivery_names'],
  ])('opens to requests %s', async (_, secrets, setting) => {
    const files = authority(secrets);
    for (const name of [
      'prod/db/password',
      'ivs/stream-key',
      'ivs/a/stream-key2',
      'arn:aws:secretsmanager:us-west-2:1:secret:prod',
    ])
      for (const deliver of [{ secrets_manager: name }, { ssm_parameter: name }]) {
        expect(await refusalOf(files, delivery(deliver)), name).toBe(setting);
        expect(await refusalOf(files, jobOf('lease_channel', { pool: 'p', deliver })), name).toBe(setting);
      }
  });

  it('opens the names that match, and restricts no rule', async () => {
    const files = authority(named);
    for (const name of [
      'ivs/a/stream-key',
      'ivs/a/b/stream-key',
      '/ivs/exact',
      'arn:aws:secretsmanager:us-west-2:1:secret:ivs/a',
    ])
      expect(await refusalOf(files, delivery({ secrets_manager: name })), name).toBeUndefined();
    const checked = (cause: object) =>
      files.deliveryBounds({ ...delivery({ secrets_manager: 'prod' }), cause } as ActionJob).checkName;
    expect(checked({ kind: 'rule' })).toBeUndefined();
    expect(() => checked(operator)?.('prod')).toThrow('secrets.delivery_names has only ivs/*/stream-key');
  });
});
