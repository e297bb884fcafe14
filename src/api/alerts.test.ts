import { expect, test } from 'vitest';
import { kinds } from '#domain/state-registry.ts';
import { MemoryState } from '#store/memory-state.ts';
import { testMetrics } from '#test/support/quiet.ts';
import { clearAlerts, dropOldAlerts, noteDelivered, noteFailedJob, noteRefused, raiseAlert } from '#workers/alerts.ts';
import { showAlerts } from './alert-gauges.ts';
import type { AlertShard } from './alert-sources.ts';
import { acknowledge, openAlerts } from './alerts.ts';

const channelArn = 'arn:aws:ivs:us-west-2:111122223333:channel/a';
const config = () => ({ loadedAtMs: 0 });

function account(name: string) {
  let nowMs = 1_000_000;
  const state = new MemoryState({ now: () => nowMs });
  return { name, state, pass: (ms: number) => void (nowMs += ms) };
}

const failed = { action: 'notify', code: 'WEBHOOK_REJECTED', message: 'said 404', who: 'rule a', channelArn };

test('the metric shows the alerts of one account whatever happens to the others, and 0 once they have ended', async () => {
  const metrics = testMetrics();
  const shards = [account('west'), account('europe')];
  const gauges = async () => {
    showAlerts({ shards, config, metrics });
    const { values } = await metrics.alerts.get();
    return Object.fromEntries(values.map(({ labels, value }) => [`${labels.shard} ${labels.kind}`, value]));
  };
  const [west] = shards;
  await west!.state.transact((tx) => raiseAlert(tx, { kind: 'keyless', channelArn, text: 'no key', jobId: 'a' }));
  expect(await gauges()).toMatchObject({ 'west keyless': 1, 'europe keyless': 0 });
  await west!.state.transact((tx) => clearAlerts(tx, channelArn));
  expect(await gauges()).toMatchObject({ 'west keyless': 0, 'europe keyless': 0 });
});

test('alerts of a rule in dry run are warnings with their own titles, and the metric counts them apart', async () => {
  const metrics = testMetrics();
  const west = account('west');
  const about = { ruleHash: 'h', sinceMs: 1_000_000, text: 'would have', values: {}, dryRun: true } as const;
  await west.state.transact((tx) => {
    for (const kind of ['cap', 'rate'] as const)
      tx.set(kinds.alert.of(kind, 'tries'), { kind, rule: 'tries', ...about });
    tx.set(kinds.alert.of('cap', 'acts'), { kind: 'cap', rule: 'acts', ...about, dryRun: undefined });
  });
  expect(
    openAlerts({ shards: [west], config }).map(({ rule, kind, severity, title }) => [rule, kind, severity, title]),
  ).toEqual([
    ['acts', 'cap', 'critical', 'Rule stopped by its cap'],
    ['tries', 'cap', 'warning', 'Rule in dry run would be stopped by its cap'],
    ['tries', 'rate', 'warning', 'Rule in dry run would have reached its hourly limit'],
  ]);
  showAlerts({ shards: [west], config, metrics });
  const { values } = await metrics.alerts.get();
  const count = (of: string) => values.find(({ labels }) => labels.kind === of)?.value;
  expect(['cap', 'rate', 'dry_run'].map(count)).toEqual([1, 0, 2]);
});

test('refused metadata names its channels, and the one that the quoted answer is about', async () => {
  const west = account('west');
  const [a, b] = [channelArn, channelArn.replace(/a$/, 'b')];
  const code = 'IVS_ACCESS_DENIED';
  const refuse = (arn: string) =>
    west.state.transact((tx) =>
      noteRefused(tx, { code, channelArn: arn, message: `PutMetadata ${arn}: AccessDeniedException: no` }),
    );
  const cause = () => openAlerts({ shards: [west], config })[0]?.cause;
  await refuse(a);
  await refuse(b);
  const answer = `The last answer, for ${b}: ${code}: AccessDeniedException: no`;
  expect(cause()).toBe(`Metadata is refused, and nothing is delivered to ${a}, ${b}. ${answer}`);
  await west.state.transact((tx) => noteDelivered(tx, [code], b));
  expect(cause()).toBe(`Metadata is refused, and nothing is delivered to ${a}. ${answer}`);
  for (let n = 0; n < 30; n += 1) await refuse(channelArn.replace(/a$/, `c${n}`));
  expect(cause()).toMatch(/\/a, \S+\/c0, \S+\/c1 and 28 more\. The last answer, for \S+\/c29: /);
});

test('jobs that failed for the same reason are one alert, which a person can dismiss; a later failure is a new alert', async () => {
  const west = account('west');
  const sources = { shards: [west], config };
  const fail = (jobId: string) => west.state.transact((tx) => noteFailedJob(tx, { jobId, ...failed }));
  await fail('j-1');
  await fail('j-1');
  await fail('j-2');
  const [alert, ...others] = openAlerts(sources);
  expect(others).toEqual([]);
  expect(alert).toMatchObject({ kind: 'failed_job', title: '2 failed jobs', since: 1_000_000, dismissible: true });
  expect(alert?.cause).toContain('WEBHOOK_REJECTED');
  await acknowledge(sources, alert!.id, { who: 'ann', note: 'a typo' });
  expect(openAlerts(sources)).toEqual([]);
  await fail('j-3');
  expect(openAlerts(sources)).toMatchObject([{ title: 'Failed job', link: '#/job/j-3', channelArn }]);
  await expect(acknowledge(sources, 'alert:none', { who: 'ann', note: '' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});

test('an alert that a person cannot end stays after it is acknowledged; if it begins again, it counts as unseen', async () => {
  const shards = [account('west'), account('europe')];
  const sources = { shards, config };
  const [, europe] = shards;
  const raise = () =>
    europe!.state.transact((tx) => raiseAlert(tx, { kind: 'keyless', channelArn, text: 'no key', jobId: 'a' }));
  await raise();
  const id = openAlerts(sources)[0]!.id;
  expect(id.startsWith('europe:')).toBe(true);
  await acknowledge(sources, id, { who: 'ann', note: 'on it' });
  expect(openAlerts(sources)).toMatchObject([{ id, acknowledged: { who: 'ann', note: 'on it' } }]);
  await europe!.state.transact((tx) => clearAlerts(tx, channelArn));
  europe!.pass(1_000);
  await raise();
  expect(openAlerts(sources)[0]?.acknowledged).toBeUndefined();
});

test('every source has its alert, with when it began; an old failure is forgotten with its job', async () => {
  const west = account('west');
  const shard: AlertShard = {
    ...west,
    silentSinceMs: (source) => (source === 'poll' ? 900_000 : undefined),
    deadLetters: () => ({ count: 2, sinceMs: 800_000 }),
  };
  const sources = { shards: [shard], config: () => ({ loadedAtMs: 1, triedAtMs: 700_000, error: 'a.yaml:1:1 no' }) };
  await west.state.transact((tx) => noteFailedJob(tx, { jobId: 'j', ...failed }));
  expect(openAlerts(sources).map(({ kind, since }) => [kind, since])).toEqual([
    ['data_gap', 900_000],
    ['config', 700_000],
    ['dead_letters', 800_000],
    ['failed_job', 1_000_000],
  ]);
  for (const { id, cause, link, title } of openAlerts(sources)) expect([id, cause, link, title]).not.toContain('');
  west.pass(8 * 86_400_000);
  await west.state.transact(dropOldAlerts);
  expect(openAlerts({ ...sources, config }).map(({ kind }) => kind)).toEqual(['data_gap', 'dead_letters']);
});
