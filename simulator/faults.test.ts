import { expect, it } from 'vitest';
import { type FaultRule, Faults } from './faults.ts';
import { Random } from './random.ts';

const faults = (...rules: FaultRule[]): Faults => {
  const made = new Faults(new Random('faults'));
  for (const rule of rules) made.add(rule);
  return made;
};

it('without a rule nothing happens to any call', () => {
  expect(faults().plan('ListStreams', undefined)).toEqual({ latencyMs: 0, answerLatencyMs: 0 });
});

it('a rule affects only its operation and channel', () => {
  const made = faults({ operation: 'StopStream', channelArn: 'a', error: 'StreamUnavailable' });
  expect(made.plan('GetStream', 'a').error).toBeUndefined();
  expect(made.plan('StopStream', 'b').error).toBeUndefined();
  expect(made.plan('StopStream', 'a').error?.name).toBe('StreamUnavailable');
});

it('affects the n-th matching call, counted from when the rule was added, and no other', () => {
  const made = faults({ operation: 'PutMetadata', nth: 3, reset: 'after-effect' });
  const struck = [1, 2, 3, 4].map(() => {
    made.plan('ListStreams', undefined);
    return made.plan('PutMetadata', 'a').reset;
  });
  expect(struck).toEqual([undefined, undefined, 'after-effect', undefined]);
});

it('a rule is gone after it was used as often as it may be, and others stay', () => {
  const made = faults({ error: 'InternalServerException', times: 2 }, { latencyMs: 5 });
  const plans = [1, 2, 3].map(() => made.plan('ListStreams', undefined));
  expect(plans.map(({ error }) => error?.name)).toEqual([
    'InternalServerException',
    'InternalServerException',
    undefined,
  ]);
  expect(plans.map(({ latencyMs }) => latencyMs)).toEqual([5, 5, 5]);
  expect(made.list()).toMatchObject([{ latencyMs: 5, seen: 3, struck: 3 }]);
});

it('rules combine: slow, then slower, then lost', () => {
  const made = faults({ latencyMs: 10 }, { latencyMs: [20, 20], answerLatencyMs: 7 }, { reset: 'after-effect' });
  expect(made.plan('PutMetadata', 'a')).toEqual({ latencyMs: 30, answerLatencyMs: 7, reset: 'after-effect' });
});

it('probabilities are kept, and one seed repeats the same choices', () => {
  const throwDice = (): boolean[] => {
    const made = faults({ probability: 0.3, error: 'ServiceUnavailable' });
    return Array.from({ length: 5_000 }, () => made.plan('ListStreams', undefined).error !== undefined);
  };
  const thrown = throwDice();
  const share = thrown.filter(Boolean).length / thrown.length;
  expect(share).toBeGreaterThan(0.27);
  expect(share).toBeLessThan(0.33);
  expect(throwDice()).toEqual(thrown);
});

it('one rule can be removed', () => {
  const made = faults({ latencyMs: 1 });
  const id = made.add({ error: 'InternalServerException' });
  expect([made.remove(id), made.remove(id)]).toEqual([true, false]);
  expect(made.plan('ListStreams', undefined)).toEqual({ latencyMs: 1, answerLatencyMs: 0 });
});
