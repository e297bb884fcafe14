import { describe, expect, it } from 'vitest';
import type { Lane } from '#domain/action.ts';
import { type Waiter, WaitingLine } from './waiting-line.ts';

interface Named extends Waiter {
  readonly name: string;
}

const waiter = (name: string, channel: string | undefined, lane: Lane = 'normal'): Named => ({
  name,
  lane,
  channel,
  since: 0,
  deadline: 1000,
});

/** Serves until there are no candidates; returns the names in order. */
function serve(line: WaitingLine<Named>, most = Number.POSITIVE_INFINITY): string[] {
  const served: string[] = [];
  while (served.length < most) {
    const [candidate] = line.candidates(1);
    if (!candidate) break;
    served.push(line.take(candidate)!.name);
  }
  return served;
}

describe('order', () => {
  it('serves channels in turn, and each in the order of its calls', () => {
    const line = new WaitingLine<Named>();
    for (const name of ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']) line.add(waiter(name, name[0]));

    expect(serve(line)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3']);
    expect(line.size).toBe(0);
  });

  it('serves an urgent call next, in the middle of a bulk fan-out', () => {
    const line = new WaitingLine<Named>();
    for (let i = 0; i < 1000; i += 1) line.add(waiter(`bulk${i}`, `c${i}`, 'bulk'));
    serve(line, 100);

    line.add(waiter('now', 'c999', 'urgent'));

    expect(serve(line, 1)).toEqual(['now']);
  });

  it('still serves bulk calls while urgent ones keep coming', () => {
    const line = new WaitingLine<Named>();
    for (let i = 0; i < 400; i += 1) {
      line.add(waiter('urgent', `u${i}`, 'urgent'));
      line.add(waiter('normal', `n${i}`));
      line.add(waiter('bulk', `b${i}`, 'bulk'));
    }

    const served = serve(line, 210);

    const share = (lane: string) => served.filter((name) => name === lane).length;
    expect(share('urgent')).toBeGreaterThan(share('normal') * 2);
    expect(share('normal')).toBeGreaterThan(share('bulk') * 2);
    expect(share('bulk')).toBeGreaterThanOrEqual(10);
  });

  it('offers several waiters of an operation without channels, first come first served', () => {
    const line = new WaitingLine<Named>();
    for (const name of ['1', '2', '3']) line.add(waiter(name, undefined));

    const candidates = line.candidates(2);

    expect(candidates).toHaveLength(2);
    expect(candidates.map((candidate) => line.take(candidate)?.name)).toEqual(['1', '2']);
  });

  it('offers each channel once among the candidates, whatever the number of its calls and lanes', () => {
    const line = new WaitingLine<Named>();
    line.add(waiter('a1', 'a'));
    line.add(waiter('a2', 'a', 'bulk'));
    line.add(waiter('b1', 'b', 'bulk'));

    expect(line.candidates(10)).toEqual([
      { lane: 'normal', channel: 'a' },
      { lane: 'bulk', channel: 'b' },
    ]);
  });

  it('puts a waiter whose permit was not used back in front', () => {
    const line = new WaitingLine<Named>();
    line.add(waiter('a1', 'a'));
    line.add(waiter('a2', 'a'));
    const first = line.take({ lane: 'normal', channel: 'a' })!;

    line.addFirst(first);

    expect(serve(line)).toEqual(['a1', 'a2']);
  });
});

describe('channels that must wait', () => {
  it('offers no second call of a channel while one is in flight', () => {
    const line = new WaitingLine<Named>();
    for (const name of ['a1', 'a2', 'b1']) line.add(waiter(name, name[0]));
    line.take({ lane: 'normal', channel: 'a' });

    line.departed('a');
    line.add(waiter('a3', 'a', 'urgent'));

    expect(line.candidates(10)).toEqual([{ lane: 'normal', channel: 'b' }]);
    line.landed('a');
    expect(serve(line)).toEqual(['a3', 'b1', 'a2']);
  });

  it('offers a channel again when its own slots are free, and says when that will be', () => {
    const line = new WaitingLine<Named>();
    line.add(waiter('a1', 'a'));
    line.add(waiter('b1', 'b'));
    line.block('a', 500);
    line.block('b', 300);

    expect(line.unblock(299)).toBe(300);
    expect(line.candidates(10)).toEqual([]);
    expect(line.unblock(300)).toBe(500);
    expect(line.candidates(10)).toEqual([{ lane: 'normal', channel: 'b' }]);
    expect(line.unblock(500)).toBeUndefined();
    expect(line.candidates(10)).toHaveLength(2);
  });

  it('does not offer a channel that is blocked and in flight until both are over', () => {
    const line = new WaitingLine<Named>();
    line.add(waiter('a1', 'a'));
    line.departed('a');
    line.block('a', 100);

    line.unblock(100);
    expect(line.candidates(1)).toEqual([]);
    line.landed('a');
    expect(line.candidates(1)).toHaveLength(1);
  });
});

describe('leaving', () => {
  it('forgets a waiter that left, and offers nothing for it', () => {
    const line = new WaitingLine<Named>();
    const a = waiter('a1', 'a');
    line.add(a);

    expect(line.remove(a)).toBe(true);
    expect(line.remove(a)).toBe(false);
    expect(line.candidates(1)).toEqual([]);
    expect(line.take({ lane: 'normal', channel: 'a' })).toBeUndefined();
    expect([...line]).toEqual([]);
  });

  it('can be iterated while the visited waiters leave', () => {
    const line = new WaitingLine<Named>();
    for (let i = 0; i < 10; i += 1) line.add(waiter(`${i}`, `c${i % 3}`));

    for (const each of line) line.remove(each);

    expect(line.size).toBe(0);
    expect(line.candidates(10)).toEqual([]);
  });
});
