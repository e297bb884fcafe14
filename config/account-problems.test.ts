import { describe, expect, it } from 'vitest';
import { accountsOf } from './accounts.ts';
import { checkConfig } from './lint.ts';
import { parseConfig } from './load.ts';
import { formatProblem } from './problem.ts';

const sqs = (region: string, account = '111122223333', name = 'events') =>
  `https://sqs.${region}.amazonaws.com/${account}/${name}`;
const entry = (text: string) => `version: 1\naccounts: [{name: a, ${text}}]\n`;

function problemsOf(text: string): string[] {
  return checkConfig(text, 'f').problems.map(formatProblem);
}

describe('accounts, Regions and queues', () => {
  it.each<[string, string, RegExp]>([
    [
      'a Region without IVS',
      entry('region: eu-west-2'),
      /accounts\[0\]\.region: Amazon IVS is not in eu-west-2 \(Europe \(London\)\)/,
    ],
    ['a Region of China', entry('region: cn-north-1'), /Amazon IVS is not in cn-north-1/],
    ['a display name', entry('region: "Europe (Frankfurt)"'), /write its code, eu-central-1/],
    ['a display name’s place', entry('region: Tokyo'), /write its code, ap-northeast-1/],
    ['a display name without IVS', entry('region: US East (Ohio)'), /us-east-2, but Amazon IVS is not in us-east-2/],
    ['a zone', entry('region: us-west-2a'), /not a Region code/],
    ['a code without hyphens', entry('region: uswest2'), /write its code, us-west-2/],
    ['a Region in capitals', entry('region: US-WEST-2'), /write its code, us-west-2/],
    [
      'a queue of another Region',
      entry(`region: us-west-2, queue_url: "${sqs('eu-west-1')}"`),
      /the queue is in eu-west-1/,
    ],
    [
      'a queue of another Region, as boto3 writes it',
      entry('region: us-west-2, queue_url: "https://eu-west-1.queue.amazonaws.com/111122223333/e"'),
      /the queue is in eu-west-1/,
    ],
    [
      'a queue of another account',
      entry(`region: us-west-2, account_id: "444455556666", queue_url: "${sqs('us-west-2')}"`),
      /the queue belongs to the account 111122223333, but the entry is for 444455556666/,
    ],
    [
      'a queue of another account than the role’s',
      entry(`region: us-west-2, assume_role_arn: "arn:aws:iam::444455556666:role/x", queue_url: "${sqs('us-west-2')}"`),
      /the entry is for 444455556666/,
    ],
    [
      'a FIFO queue',
      entry(`region: us-west-2, queue_url: "${sqs('us-west-2', '111122223333', 'e.fifo')}"`),
      /accounts\[0\]\.queue_url: e\.fifo is a FIFO queue/,
    ],
    [
      'a FIFO queue under events',
      `version: 1\nevents: {queue_url: "${sqs('us-west-2', '111122223333', 'e.fifo')}"}\n`,
      /events\.queue_url: e\.fifo is a FIFO queue/,
    ],
    [
      'a queue of another Region under events',
      `${entry('region: us-west-2')}events: {queue_url: "${sqs('eu-west-1')}"}\n`,
      /events\.queue_url: the queue is in eu-west-1/,
    ],
    [
      'one queue by two forms of its URL',
      `version: 1\naccounts: [{name: a, region: us-west-2, queue_url: "${sqs('us-west-2')}"}, {name: b, region: us-west-2, account_id: "111122223333", queue_url: "https://us-west-2.queue.amazonaws.com/111122223333/events"}]\n`,
      /accounts\[1\]\.queue_url: a already has this queue/,
    ],
    [
      'a role for every account without the number of this one',
      entry('region: us-west-2, assume_role_arn: "arn:aws:iam::{account}:role/autopilot"'),
      /accounts\[0\].*: assume_role_arn has \{account\}: give the account's 12 digits, in quotes/,
    ],
    [
      'an invalid number next to such a role',
      entry('region: us-west-2, account_id: "1111", assume_role_arn: "arn:aws:iam::{account}:role/autopilot"'),
      /accounts\[0\]\.account_id: expected the 12 digits/,
    ],
    [
      'a role with another placeholder',
      entry('region: us-west-2, account_id: "111122223333", assume_role_arn: "arn:aws:iam::{acount}:role/autopilot"'),
      /accounts\[0\]\.assume_role_arn: \{acount\} stands for nothing: only \{account\} is filled in/,
    ],
    [
      'two entries that one role for every account makes the same',
      `version: 1\naccounts:\n${['a', 'b'].map((name) => `  - {name: ${name}, region: us-west-2, account_id: "111122223333", assume_role_arn: "arn:aws:iam::{account}:role/autopilot"}\n`).join('')}`,
      /accounts\[1\]\.region: a already has us-west-2 in 111122223333/,
    ],
  ])('%s is an error', (_, text, message) => {
    expect(problemsOf(text)).toEqual([expect.stringMatching(message)]);
    expect(problemsOf(text).join()).not.toContain('warning');
  });

  it.each<[string, string, RegExp]>([
    [
      'a Region that is newer than our table',
      entry('region: eu-west-9'),
      /accounts\[0\]\.region: warning: eu-west-9 was not known .*will be tried/,
    ],
    [
      'a queue that nobody reads',
      `${entry('region: us-west-2, queue_url: q')}events: {queue_url: x}\n`,
      /events\.queue_url: warning: nothing reads this queue/,
    ],
  ])('%s is a warning, and the file is loaded', (_, text, message) => {
    expect(problemsOf(text)).toEqual([expect.stringMatching(message)]);
    expect(parseConfig(text, 'f').ok).toBe(true);
  });

  it.each([
    entry(`region: us-west-2, queue_url: "${sqs('us-west-2')}"`),
    entry(`region: us-west-2, account_id: "111122223333", queue_url: "${sqs('us-west-2')}"`),
    entry('region: us-west-2, queue_url: "http://127.0.0.1:9324/000000000000/events"'),
    `${entry('region: us-west-2')}events: {queue_url: "${sqs('us-west-2')}"}\n`,
  ])('accepts what fits: %s', (text) => {
    expect(problemsOf(text)).toEqual([]);
  });

  const fifty = Array.from(
    { length: 50 },
    (_, index) =>
      `  - {name: a${index}, region: us-west-2, account_id: "${100_000_000_000 + index}", assume_role_arn: "arn:aws:iam::{account}:role/autopilot-{account}", queue_url: "${sqs('eu-west-1', '999988887777')}"}\n`,
  );

  it('one role text serves every account, and the first entry reads a queue that belongs to none of them', () => {
    const text = `version: 1\naccounts:\n${fifty.join('')}`;
    expect(problemsOf(text)).toEqual([]);
    const result = parseConfig(text, 'f');
    const accounts = result.ok ? accountsOf(result.config, {}) : [];
    expect(accounts.map(({ assume_role_arn: role }) => role).slice(0, 2)).toEqual([
      'arn:aws:iam::100000000000:role/autopilot-100000000000',
      'arn:aws:iam::100000000001:role/autopilot-100000000001',
    ]);
    expect(accounts.map(({ sharedQueue }) => sharedQueue)).toEqual([
      { isReader: true, isOwner: false },
      ...Array.from({ length: 49 }, () => ({ isReader: false, isOwner: false })),
    ]);
  });

  it('of entries that share a queue, the one that owns it reads it', () => {
    const url = sqs('us-west-2', '444455556666');
    const result = parseConfig(
      `version: 1\naccounts: [{name: a, region: us-west-2, account_id: "111122223333", queue_url: "${url}"}, {name: b, region: us-west-2, account_id: "444455556666", queue_url: "${url}"}, {name: c, region: eu-west-1, account_id: "444455556666"}]\n`,
      'f',
    );
    expect(result.ok && accountsOf(result.config, {}).map(({ sharedQueue }) => sharedQueue)).toEqual([
      { isReader: false, isOwner: false },
      { isReader: true, isOwner: true },
      undefined,
    ]);
  });

  it.each<[Record<string, string>, string, RegExp]>([
    [{ AWS_REGION: 'us-east-2' }, '', /AWS_REGION: Amazon IVS is not in us-east-2/],
    [{ AWS_REGION: 'US West (Oregon)' }, '', /AWS_REGION: .*write its code/],
    [{ AWS_REGION: 'us-west-2' }, sqs('eu-west-1'), /the queue is in eu-west-1/],
  ])('checks the environment’s Region too: %j', (env, queueUrl, message) => {
    const result = parseConfig('version: 1\n', 'f', { queueUrl });
    expect(result.ok && (() => accountsOf(result.config, env))).toThrow(message);
  });
});

describe('time intervals', () => {
  const ofTimes = (range: string) =>
    problemsOf(`version: 1\ntime_intervals: [{name: x, time_intervals: [{${range}}]}]\n`);

  it.each([
    'days_of_month: ["30:31"], months: [february]',
    'days_of_month: ["31"], months: [april, june, september, november]',
    'days_of_month: ["29"], months: [february], years: ["2027"]',
    'days_of_month: ["29"], months: [february], years: ["2100"]',
    'weekdays: [monday], days_of_month: ["29"], months: [february], years: ["2028"]',
    'weekdays: [monday], days_of_month: ["1"], months: [january], years: ["2027"]',
    'days_of_month: ["-31"], months: [february]',
  ])('%s never occurs', (range) => {
    expect(ofTimes(range)).toEqual([
      expect.stringMatching(/time_intervals\[0\]\.time_intervals\[0\]: .*no day matches/),
    ]);
  });

  it.each([
    'days_of_month: ["29"], months: [february]',
    'days_of_month: ["29"], months: [february], years: ["2027:2028"]',
    'weekdays: [saturday], days_of_month: ["29"], months: [february]',
    'days_of_month: ["-1"], months: [february]',
    'days_of_month: ["31"]',
    'weekdays: [friday], days_of_month: ["13"]',
    'times: [{start_time: "18:00", end_time: "24:00"}]',
  ])('%s occurs', (range) => {
    expect(ofTimes(range)).toEqual([]);
  });

  it('past years are a warning', () => {
    expect(ofTimes('years: ["2019:2020"]')).toEqual([expect.stringMatching(/years: warning: these years are over/)]);
  });
});
