// The trigger `key_age`: it begins by the clock, once for each key, and a new key ends it.
import { expect, test } from 'vitest';
import { parseConfig } from '#config/load.ts';
import type { KeysObservation } from '#domain/observation.ts';
import { kinds } from '#domain/state-registry.ts';
import { arnOf, poll, startMs } from '#test/support/streams.ts';
import { Watch } from '#test/support/watch.ts';

const dayMs = 86_400_000;
const rules = (trigger: string, more = '') => `
receivers: [{name: noc, webhook_configs: [{url: "https://example.com/"}]}]
rules:
  - name: old-key
    mode: enforce
    trigger: {key_age: ${trigger}}
    match: {tags: {tier: [gold]}}
    guards: {cooldown: 0s}
    actions: [{notify: {receiver: noc, text: "{{ channel.name }}"}}]
    on_resolve: [{notify: {receiver: noc, text: rotated}}]
    ${more}
`;
/** The audit of a channel whose key was first seen this many milliseconds before the beginning. */
const audit = (channel: string, agoMs: number, key = 'k1'): KeysObservation => ({
  kind: 'keys',
  channels: [
    {
      channelArn: arnOf(channel),
      keyArns: [`arn:aws:ivs:us-west-2:111122223333:stream-key/${key}`],
      readAtMs: startMs - agoMs,
    },
  ],
  gone: [],
  atMs: startMs,
});

async function setup(trigger = '[{numeric: [">", 90]}]') {
  const watch = new Watch(rules(trigger));
  await watch.state.transact((tx) => {
    for (const [id, tier] of [
      ['A', 'gold'],
      ['B', 'gold'],
      ['C', 'bronze'],
    ] as const)
      tx.set(kinds.channel.of(arnOf(id)), {
        arn: arnOf(id),
        name: id,
        type: 'STANDARD',
        latencyMode: 'LOW',
        recordingConfigurationArn: '',
        tags: { tier },
      });
  });
  const goTo = async (seconds: number) => {
    for (let at = Math.floor(watch.seconds / 30) * 30; at <= seconds; at += 30) {
      await watch.goTo(at);
      await watch.see(poll('all', { at: at * 1000, took: 0 }));
    }
    await watch.goTo(seconds);
  };
  await goTo(0);
  return { watch, goTo };
}

test('a key that is already old fires once it is known, on the channels that match', async () => {
  const { watch, goTo } = await setup();
  await watch.see(audit('A', 91 * dayMs), audit('B', 10 * dayMs), audit('C', 100 * dayMs));
  await goTo(60);
  expect(watch.log).toEqual([expect.stringMatching(/notify A$/)]);
});

test('a key reaches the age by the clock, and fires once', async () => {
  const { watch, goTo } = await setup();
  await watch.see(audit('A', 90 * dayMs - 60_000), audit('B', 90 * dayMs - 90_000));
  await goTo(59);
  expect(watch.log).toEqual([]);
  await goTo(62);
  expect(watch.log).toEqual([expect.stringMatching(/^6[01](\.5)? notify A$/)]);
  await goTo(180);
  expect(watch.log.map((line) => line.slice(-1))).toEqual(['A', 'B']);
});

test('a new key ends it, and is a new cause when it is old', async () => {
  const { watch, goTo } = await setup();
  await watch.see(audit('A', 91 * dayMs));
  await goTo(1);
  await watch.see(audit('A', 0, 'k2'));
  await goTo(2);
  expect(watch.decisions.map(({ outcome }) => outcome)).toEqual(['acted', 'resolved']);
  expect(watch.log).toHaveLength(2);
  // The same audit again changes nothing.
  await watch.see(audit('A', 0, 'k2'));
  await goTo(30);
  expect(watch.log).toHaveLength(2);
});

test('a channel that is deleted, or whose key is unknown, is no reason to act', async () => {
  const { watch, goTo } = await setup();
  await watch.see({ ...audit('A', 0), channels: [{ channelArn: arnOf('A'), keyArns: [], readAtMs: startMs }] });
  await goTo(10);
  expect(watch.log).toEqual([]);
  await watch.see(audit('B', 91 * dayMs));
  await goTo(11);
  await watch.see({ kind: 'keys', channels: [], gone: [arnOf('B')], atMs: startMs });
  await goTo(40);
  expect(watch.decisions.at(-1)?.outcome).toBe('resolved');
});

test.each([
  ['[{numeric: ["<", 90]}]', /the age of a key is a minimum/],
  ['[{numeric: [">", 1, "<", 9]}]', /the age of a key is a minimum/],
  ['[90]', /the age of a key is a minimum/],
  ['[{numeric: [">", 0]}]', /the age of a key is a minimum/],
])('only "older than" is possible: %s is refused', (trigger, message) => {
  const result = parseConfig(`version: 1\n${rules(trigger)}`, 'f.yaml');
  expect(result.ok ? [] : result.problems.map((problem) => problem.message)).toEqual([expect.stringMatching(message)]);
});

test.each(['while: {live: [false]}', 'once_per: session'])('%s is meaningless for a key', (more) => {
  const result = parseConfig(`version: 1\n${rules('[{numeric: [">", 90]}]', more)}`, 'f.yaml');
  expect(result.ok ? [] : result.problems.map((problem) => problem.message)).toEqual([
    expect.stringMatching(/does not depend on a stream/),
  ]);
});
