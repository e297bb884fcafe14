import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryState } from '#store/memory-state.ts';
import { cancelAdBreak, freeTurns, takeTurn } from './ad-break-line.ts';
import { kinds } from './state-registry.ts';

const arnOf = (n: number) => `arn:aws:ivs:us-west-2:111122223333:channel/c${n}`;
const cause = { kind: 'operator', who: 'mara', reason: 'half-time' } as const;

test('whatever is requested and cancelled, turns are a second apart, none is in the past, and no free turn is left out', async () => {
  const step = fc.oneof(
    fc.record({ take: fc.nat(30) }),
    fc.record({ cancel: fc.nat(30) }),
    fc.record({ waitMs: fc.nat(4_000) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.constantFrom(1_000, 500), async (steps, spacingMs) => {
      let nowMs = 1_000_000;
      const state = new MemoryState({ now: () => nowMs });
      for (const { take, cancel, waitMs } of steps as readonly { take?: number; cancel?: number; waitMs?: number }[]) {
        nowMs += waitMs ?? 0;
        if (cancel !== undefined) await state.transact((tx) => cancelAdBreak(tx, arnOf(cancel), 'mara'));
        if (take === undefined) continue;
        const request = { channelArn: arnOf(take), jobId: `job${steps.length}-${nowMs}-${take}`, durationSeconds: 30 };
        const before = Array.from(state.view.entries(kinds.adBreak), ([, each]) => each).filter(
          (each) => each.state === 'planned' && each.atMs > nowMs - spacingMs,
        );
        const known = state.view.get(kinds.adBreak.of(arnOf(take)));
        const placed = await state.transact((tx) => takeTurn(tx, { ...request, cause, spacingMs }));
        if (placed.jobId !== request.jobId || known?.jobId === placed.jobId) continue;
        expect(placed.atMs).toBeGreaterThanOrEqual(nowMs);
        for (const { atMs } of before) expect(Math.abs(atMs - placed.atMs)).toBeGreaterThanOrEqual(spacingMs);
        // No earlier free moment is long enough.
        const candidates = [nowMs, ...before.map(({ atMs }) => atMs + spacingMs)].filter(
          (ms) => ms >= nowMs && ms < placed.atMs,
        );
        for (const ms of candidates)
          expect(
            before.some(({ atMs }) => Math.abs(atMs - ms) < spacingMs),
            String(ms),
          ).toBe(true);
      }
      const free = freeTurns(state.view, { nowMs, spacingMs, count: 5 });
      expect(free).toHaveLength(5);
      expect(free).toEqual(free.toSorted((a, b) => a - b));
    }),
    { numRuns: 100 },
  );
});
