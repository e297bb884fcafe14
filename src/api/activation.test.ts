import { expect, test } from 'vitest';
import { kinds } from '#domain/state-registry.ts';
import { hold, pause } from '#rules/controls.ts';
import { MemoryState } from '#store/memory-state.ts';
import { rulesetOf } from '#test/support/engine.ts';
import { effectsOf } from './activation.ts';

const ruleset = rulesetOf(`
rules:
  - {name: slate, mode: enforce, trigger: {state: {health: [STARVING]}}, actions: [{put_metadata: {payload: x}}]}
  - {name: watch, mode: dry_run, trigger: {state: {health: [STARVING]}}, actions: [{put_metadata: {payload: x}}]}
`);
const arn = 'arn:aws:ivs:us-west-2:111122223333:channel/AbCdEfGhIjKl';

function shard(name: string, hasQueue = true) {
  const state = new MemoryState({ now: () => 1_000 });
  return { name, region: 'us-west-2', standsBy: true, state, ruleset, queueKey: hasQueue ? 'ivs-events' : undefined };
}

test('an empty standby says what will start, which rules will act, and that nothing holds them back', () => {
  const text = effectsOf([shard('main'), shard('eu', false)], ['asia']).join('\n');
  expect(text).toContain('what other processes of this deployment carry: asia.');
  expect(text).toContain('Make sure first that the other deployment is stopped');
  expect(text).toContain('Account main (us-west-2): polls streams and channels, reads the event queue');
  expect(text).toContain(
    'Account eu (us-west-2): polls streams and channels, works jobs, delivers metadata. It has no event queue.',
  );
  expect(text).toContain('1 rule in mode enforce: slate; 1 in mode dry_run.');
  expect(text).toContain('Automation is not paused');
  expect(text).toContain('Known here: 0 holds, 0 silences.');
  expect(text).not.toContain('Found in this Redis');
});

test('names what is paused, held or waiting here', async () => {
  const [main, eu] = [shard('main'), shard('eu')];
  await main.state.transact((tx) => {
    pause(tx, { who: 'run --paused', reason: 'started paused' });
    hold(tx, { channelArn: arn, who: 'token mara', reason: 'x' });
    tx.enqueue({ jobId: 'j1', name: 'notify', payload: {} });
    tx.enqueue({ jobId: 'j2', name: 'notify', payload: {} });
  });
  await eu.state.transact((tx) => tx.set(kinds.cooldown.of('slate', arn), 1));
  const text = effectsOf([main, eu]).join('\n');
  expect(text).toContain('All automation stays paused (run --paused: started paused) until it is resumed.');
  expect(text).toContain('Known here: 1 hold, 0 silences.');
  expect(text).toContain('Found in this Redis, and continued: 2 jobs.');
});
