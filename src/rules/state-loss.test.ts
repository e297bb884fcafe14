import { describe, expect, test } from 'vitest';
import type { Hold } from '#domain/control.ts';
import { kinds } from '#domain/state-registry.ts';
import { MemoryState } from '#store/memory-state.ts';
import { controlsChangedMs, lacksControls } from './state-loss.ts';

const arn = 'arn:aws:ivs:us-west-2:111122223333:channel/AbCdEf';
const hold = (sinceMs: number, untilMs?: number): Hold => ({
  who: 'ann',
  reason: 'x',
  sinceMs,
  ...(untilMs === undefined ? {} : { untilMs }),
});

async function stateWith(held: Hold | undefined, goneMs?: number) {
  const state = new MemoryState({ now: () => 1_000 });
  await state.transact((tx) => {
    if (held) tx.set(kinds.hold.of(arn), held);
    if (goneMs !== undefined) tx.set(kinds.gone.of(kinds.hold.of(arn)), { atMs: goneMs });
  });
  return state.view;
}

describe('a hold that a copy of the state knows', () => {
  test.each([
    ['is missing when there is none', undefined, undefined, true],
    ['is lacking where only an older one is', hold(400), undefined, true],
    ['is there where it is the same', hold(500), undefined, false],
    ['gives way to a newer one', hold(600), undefined, false],
    ['is not put back when it was released later', undefined, 500, false],
    ['is put back when an earlier one was released', undefined, 499, true],
  ] as const)('%s', async (_, found, goneMs, lacking) => {
    const known = await stateWith(hold(500));

    expect(lacksControls(await stateWith(found, goneMs), known, 1_000)).toBe(lacking);
  });

  test('does not count as missing once it has expired', async () => {
    const known = await stateWith(hold(500, 900));
    const empty = await stateWith(undefined);

    expect(lacksControls(empty, known, 899)).toBe(true);
    expect(lacksControls(empty, known, 900)).toBe(false);
  });
});

test('controls changed when the last of them was set or removed', async () => {
  expect(controlsChangedMs(await stateWith(undefined))).toBe(0);
  expect(controlsChangedMs(await stateWith(hold(500)))).toBe(500);
  expect(controlsChangedMs(await stateWith(hold(500), 700))).toBe(700);
});
