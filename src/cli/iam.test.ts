import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from './main.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autopilot-iam-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function iam(config: string, args: readonly string[] = [], env: Record<string, string> = {}) {
  const file = join(folder, 'autopilot.yaml');
  await writeFile(file, `version: 1\n${config}`);
  const out: string[] = [];
  const errors: string[] = [];
  const exitCode = await runCli(['node', 'ivs-autopilot', 'iam', file, ...args], {
    print: (line) => void out.push(line),
    printError: (line) => void errors.push(line),
    env,
    signal: new AbortController().signal,
  });
  const queue = /"Resource": "(arn:[^"]*:sqs:[^"]*)"/.exec(out.join('\n'))?.[1];
  return { exitCode, out: out.join('\n'), errors: errors.join('\n'), queue };
}

const urls = readFileSync(new URL('../../test/fixtures/field-cases/queue-urls.txt', import.meta.url), 'utf8')
  .split('\n')
  .map((line) => line.split(/\s/)[0]!)
  .filter(Boolean);
const standard = urls.filter((url) => !url.endsWith('.fifo'));
const arn = 'arn:aws:sqs:us-west-2:111122223333:ivs-events';
const role = 'arn:aws:iam::111122223333:role/autopilot';

describe('iam, for every form of account and queue URL', () => {
  const ways: readonly (readonly [what: string, config: (url: string) => string, args: readonly string[]])[] = [
    ['no account', (url) => `events: {queue_url: "${url}"}\n`, []],
    [
      'twelve digits, without accounts',
      (url) => `events: {queue_url: "${url}"}\n`,
      ['--account', '111122223333', '--region', 'us-west-2'],
    ],
    ['the only entry', (url) => `accounts: [{name: main, region: us-west-2, queue_url: "${url}"}]\n`, []],
    [
      'the only entry, by its name',
      (url) => `accounts: [{name: main, region: us-west-2, queue_url: "${url}"}]\n`,
      ['--account', 'main'],
    ],
    [
      'the only entry, by any digits',
      (url) => `accounts: [{name: main, region: us-west-2, queue_url: "${url}"}]\n`,
      ['--account', '111122223333'],
    ],
    [
      'the only entry, with the queue set separately',
      (url) => `accounts: [{name: main, region: us-west-2}]\nevents: {queue_url: "${url}"}\n`,
      ['--account', '111122223333'],
    ],
    [
      'one of two, by its name',
      (url) => `accounts: [{name: main, region: us-west-2, queue_url: "${url}"}, {name: eu, region: eu-west-1}]\n`,
      ['--account', 'main'],
    ],
    [
      'one of two, by the digits of its role',
      (url) =>
        `accounts: [{name: main, region: us-west-2, assume_role_arn: "${role}", queue_url: "${url}"}, {name: eu, region: eu-west-1, account_id: "444455556666"}]\n`,
      ['--account', '111122223333'],
    ],
    [
      'one of two, by its account_id',
      (url) =>
        `accounts: [{name: main, region: us-west-2, account_id: "111122223333", queue_url: "${url}"}, {name: eu, region: eu-west-1}]\n`,
      ['--account', '111122223333'],
    ],
  ];
  it.each(ways.flatMap(([what, config, args]) => standard.map((url) => [what, url, config, args] as const)))(
    '%s, %s',
    async (_, url, config, args) => {
      expect(await iam(config(url), args)).toMatchObject({ exitCode: 0, errors: '', queue: arn });
    },
  );

  it('takes the queue from the environment', async () => {
    expect(await iam('', [], { AUTOPILOT_QUEUE_URL: standard[1]! })).toMatchObject({ queue: arn });
  });

  it.each([
    'http://127.0.0.1:9324/000000000000/ivs-events',
    'http://sqs.us-west-2.localhost.localstack.cloud:4566/000000000000/ivs-events',
    'https://sqs.internal.example/111122223333/ivs-events',
    'ivs-events',
    'https://sqs.us-west-2.amazonaws.com/ivs-events',
  ])('refuses a URL from which no queue can be derived, and points to --queue-arn: %s', async (url) => {
    for (const config of [
      `events: {queue_url: "${url}"}\n`,
      `accounts: [{name: main, region: us-west-2, queue_url: "${url}"}]\n`,
    ]) {
      const refused = await iam(config);
      expect(refused).toMatchObject({ exitCode: 1, out: '' });
      expect(refused.errors).toContain(url);
      expect(refused.errors).toContain('--queue-arn');
      expect(await iam(config, ['--queue-arn', arn])).toMatchObject({ exitCode: 0, queue: arn });
    }
  });

  it('refuses a FIFO queue by name', async () => {
    const fifo = urls.find((url) => url.endsWith('.fifo'))!;
    for (const config of [
      `events: {queue_url: "${fifo}"}\n`,
      `accounts: [{name: main, region: us-west-2, queue_url: "${fifo}"}]\n`,
    ]) {
      const { exitCode, out, errors } = await iam(config);
      expect({ exitCode, out }).toEqual({ exitCode: 1, out: '' });
      expect(errors).toContain('ivs-events.fifo is a FIFO queue');
    }
    expect(await iam('', ['--queue-arn', `${arn}.fifo`])).toMatchObject({ exitCode: 2, out: '' });
  });

  const two = `accounts: [{name: west, region: us-west-2, account_id: "111122223333"}, {name: east, region: us-east-1, account_id: "111122223333"}]\n`;
  it.each<[string, string, readonly string[], RegExp]>([
    ['no name where there are two', two, [], /add --account west or east/],
    ['digits that two entries have', two, ['--account', '111122223333'], /--account west or east/],
    ['digits that no entry has', two, ['--account', '999988887777'], /no entry of accounts .* has that account/],
    ['a name that no entry has', two, ['--account', 'north'], /expected 12 digits, or an entry/],
    ['eleven digits', two, ['--account', '11112222333'], /expected 12 digits, or an entry/],
    [
      'an invalid ARN',
      two,
      ['--account', 'west', '--queue-arn', 'ivs-events'],
      /--queue-arn ivs-events: expected the ARN/,
    ],
  ])('never prints less than was asked for: %s', async (_, config, args, message) => {
    const { exitCode, out, errors } = await iam(config, args);

    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' });
    expect(errors).toMatch(message);
  });
});

describe('iam says on standard error what it does not know', () => {
  const account = /warning: the account is not known.*: set (--account <id>|`account_id` of the entry)/;
  const region = /warning: the Region is not known.*: set --region <region> or AWS_REGION/;
  const queue =
    /warning: no event queue is known.*: set (--queue-arn <arn>, AUTOPILOT_QUEUE_URL or `events.queue_url`|`queue_url` of the entry)/;
  const url = 'https://sqs.us-west-2.amazonaws.com/111122223333/ivs-events';

  it.each<[string, string, readonly string[], Record<string, string>, readonly RegExp[]]>([
    ['nothing known', '', [], {}, [account, region, queue]],
    ['only the account', '', ['--account', '111122223333'], {}, [region, queue]],
    ['only the Region', '', ['--region', 'us-west-2'], {}, [account, queue]],
    ['the Region of the environment', '', [], { AWS_REGION: 'us-west-2' }, [account, queue]],
    ['account and Region', '', ['--account', '111122223333', '--region', 'us-west-2'], {}, [queue]],
    ['the queue, which names both', '', ['--queue-arn', arn], {}, []],
    ['the queue of the file', `events: {queue_url: "${url}"}\n`, [], {}, []],
    ['the queue of the environment', '', [], { AUTOPILOT_QUEUE_URL: url }, []],
    ['an entry with nothing but a Region', 'accounts: [{name: main, region: us-west-2}]\n', [], {}, [account, queue]],
    [
      'an entry with a role',
      `accounts: [{name: main, region: us-west-2, assume_role_arn: "${role}"}]\n`,
      [],
      {},
      [queue],
    ],
    ['an entry with a queue', `accounts: [{name: main, region: us-west-2, queue_url: "${url}"}]\n`, [], {}, []],
    [
      'each entry',
      'accounts: [{name: a, region: us-west-2}, {name: b, region: us-east-1, account_id: "444455556666"}]\n',
      ['--each'],
      {},
      [account, queue, queue],
    ],
    ['the setup, which needs no queue', '', ['--setup'], {}, [account, region]],
    [
      'the setup of an entry',
      'accounts: [{name: main, region: us-west-2}]\n',
      ['--setup', '--account', 'main'],
      {},
      [account],
    ],
  ])('%s', async (_, config, args, env, expected) => {
    const { exitCode, errors, out } = await iam(config, args, env);
    const lines = errors.split('\n').filter(Boolean);

    expect(exitCode).toBe(0);
    expect(lines).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries()) expect(lines[index]).toMatch(pattern);
    expect(out.includes(':*:*:') || out.includes(':*:channel') || out.includes(':*:rule')).toBe(
      expected.includes(account),
    );
  });

  it('names the rules in dry run, whose actions --enforced-only leaves out', async () => {
    const rule = (name: string, mode: string, action: string) =>
      `  - {name: ${name}, mode: ${mode}, trigger: {state: {live: [true]}}, guards: {max_per_hour: 5}, actions: [${action}]}\n`;
    const rules = `rules:\n${rule('watches', 'dry_run', '{put_metadata: {payload: x}}')}${rule('acts', 'enforce', '{stop_stream: {}}')}${rule('is-off', '"off"', '{tag: {set: {a: b}}}')}`;
    const all = await iam(rules, ['--queue-arn', arn]);
    const enforced = await iam(rules, ['--queue-arn', arn, '--enforced-only']);

    expect(all.errors).toBe(
      'The policy includes the actions of rules in dry run (watches); --enforced-only leaves them out.',
    );
    expect(all.out).toContain('ivs:PutMetadata');
    expect(enforced.errors).toBe('');
    expect(enforced.out).not.toContain('ivs:PutMetadata');
    for (const { out } of [all, enforced]) {
      expect(out).toContain('ivs:StopStream');
      expect(out).not.toContain('ivs:TagResource');
    }
  });
});

describe('iam --each', () => {
  const members = Array.from(
    { length: 12 },
    (_, index) =>
      `  - {name: a${index}, region: us-west-2, account_id: "${100_000_000_000 + index}", assume_role_arn: "arn:aws:iam::{account}:role/autopilot", queue_url: "https://sqs.us-west-2.amazonaws.com/999988887777/ivs"}\n`,
  ).join('');

  it('prints the policy of every role, and of the identity that assumes them', async () => {
    const { exitCode, out } = await iam(`accounts:\n${members}`, ['--each']);

    expect(exitCode).toBe(0);
    const { identity, accounts } = JSON.parse(out);
    expect(Object.keys(accounts)).toHaveLength(12);
    expect(JSON.stringify(accounts.a7)).toContain('arn:aws:ivs:us-west-2:100000000007:channel/*');
    expect(identity.Statement.map(({ Sid }: { Sid: string }) => Sid)).toEqual(['SharedEventQueue', 'OtherAccounts']);
    expect(identity.Statement[1].Resource).toContain('arn:aws:iam::100000000011:role/autopilot');
  });

  it('omits the identity if an entry without a role uses it, and refuses the options that exclude --each', async () => {
    const own = `accounts:\n  - {name: own, region: us-west-2}\n  - {name: a, region: us-west-2, assume_role_arn: "${role}"}\n`;
    expect(Object.keys(JSON.parse((await iam(own, ['--each'])).out))).toEqual(['accounts']);
    expect(await iam(own, ['--each', '--account', 'a'])).toMatchObject({
      exitCode: 2,
      errors: expect.stringContaining('leave --account'),
    });
    expect(await iam('', ['--each'])).toMatchObject({
      exitCode: 2,
      errors: expect.stringContaining('names no accounts'),
    });
  });
});
