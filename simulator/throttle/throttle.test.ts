import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Throttle } from './throttle.ts';

const channel = (n: number): string => `arn:aws:ivs:us-west-2:111122223333:channel/${n}`;

/** Most calls in any (t − 1 s, t]. */
function mostInASecond(times: readonly number[]): number {
  let most = 0;
  let from = 0;
  for (const [index, time] of times.entries()) {
    while (times[from]! <= time - 1000) from++;
    most = Math.max(most, index - from + 1);
  }
  return most;
}

const arrivals = fc.array(
  fc.record({ gapMs: fc.double({ min: 0, max: 90, noNaN: true }), channel: fc.integer({ min: 0, max: 40 }) }),
  { minLength: 1, maxLength: 600 },
);

describe('the sliding window', () => {
  it('never counts more than 5 for a channel or 155 for the account in any trailing second, and refuses no call it could count', () => {
    fc.assert(
      fc.property(arrivals, fc.double({ min: 0.01, max: 1, noNaN: true }), (calls, pace) => {
        const throttle = new Throttle('sliding-window');
        const counted: { at: number; channel: number }[] = [];
        let now = 1e12;
        for (const call of calls) {
          now += call.gapMs * pace * 0.2;
          const recent = counted.filter(({ at }) => at > now - 1000);
          const full = recent.length >= 155 || recent.filter((other) => other.channel === call.channel).length >= 5;
          const refusal = throttle.admit('PutMetadata', channel(call.channel), now);
          expect(refusal !== undefined).toBe(full);
          if (refusal === undefined) counted.push({ at: now, channel: call.channel });
        }
        expect(mostInASecond(counted.map(({ at }) => at))).toBeLessThanOrEqual(155);
      }),
      { numRuns: 60 },
    );
  });

  it('frees a slot exactly one second after it was taken', () => {
    const throttle = new Throttle('sliding-window');
    for (let n = 0; n < 5; n++) expect(throttle.admit('ListStreams', undefined, 1000 + n)).toBeUndefined();
    expect(throttle.admit('ListStreams', undefined, 1999.9)).toEqual({ scope: 'account', limit: 5 });
    expect(throttle.admit('ListStreams', undefined, 2000)).toBeUndefined();
    expect(throttle.admit('ListStreams', undefined, 2000)).toBeDefined();
  });

  it('takes no slot of the account for a call that the channel refused', () => {
    const throttle = new Throttle('sliding-window', { PutMetadata: { account: 6, channel: 5 } });
    for (let n = 0; n < 5; n++) expect(throttle.admit('PutMetadata', channel(1), 0)).toBeUndefined();
    for (let n = 0; n < 20; n++) expect(throttle.admit('PutMetadata', channel(1), 1)?.scope).toBe('channel');
    expect(throttle.admit('PutMetadata', channel(2), 2)).toBeUndefined();
    expect(throttle.admit('PutMetadata', channel(2), 3)).toEqual({ scope: 'account', limit: 6 });
    // The account's refusal took no slot of channel 2 either.
    for (let n = 0; n < 5; n++) expect(throttle.admit('PutMetadata', channel(2), 1002)).toBeUndefined();
  });

  it('keeps operations apart, and has a quota for each', () => {
    const throttle = new Throttle('sliding-window');
    for (let n = 0; n < 3; n++) expect(throttle.admit('GetPlaybackKeyPair', undefined, 0)).toBeUndefined();
    expect(throttle.admit('GetPlaybackKeyPair', undefined, 0)?.limit).toBe(3);
    for (let n = 0; n < 10; n++) expect(throttle.admit('TagResource', channel(1), 0)).toBeUndefined();
    expect(throttle.admit('TagResource', channel(1), 0)?.limit).toBe(10);
  });
});

describe('the token bucket', () => {
  it('starts full, refills continuously and lets at most capacity + rate × time through', () => {
    const throttle = new Throttle('token-bucket');
    for (let n = 0; n < 5; n++) expect(throttle.admit('GetStream', undefined, 0)).toBeUndefined();
    expect(throttle.admit('GetStream', undefined, 0)).toEqual({ scope: 'account', limit: 5 });
    expect(throttle.admit('GetStream', undefined, 199)).toBeDefined();
    expect(throttle.admit('GetStream', undefined, 200)).toBeUndefined();
    let passed = 0;
    for (let now = 200; now <= 10_200; now += 7)
      if (throttle.admit('GetStream', undefined, now) === undefined) passed++;
    expect(passed).toBeGreaterThanOrEqual(49);
    expect(passed).toBeLessThanOrEqual(50);
  });
});

it('counts everything and refuses nothing with the quotas off', () => {
  const throttle = new Throttle('off');
  for (let n = 0; n < 1000; n++) expect(throttle.admit('StopStream', channel(1), 0)).toBeUndefined();
  throttle.use('sliding-window');
  for (let n = 0; n < 5; n++) throttle.admit('StopStream', channel(1), 0);
  expect(throttle.admit('StopStream', channel(1), 0)).toBeDefined();
});
