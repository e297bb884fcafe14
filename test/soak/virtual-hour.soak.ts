// An hour of virtual time, repeatedly: reducer, rules and controls with random events. SOAK_SEED=<n> plays one hour again.
import { expect, test } from 'vitest';
import { VirtualHour } from '#test/support/virtual-hour.ts';

const first = process.env['SOAK_SEED'];
const seeds = first === undefined ? Array.from({ length: 100 }, (_, index) => index + 1) : [Number(first)];

test('an hour of virtual time: nothing acts under a pause, hold or silence, nothing acts twice, every cause has its verdict', async () => {
  const total: Record<string, number> = {};
  for (const seed of seeds) {
    const hour = new VirtualHour(seed);
    try {
      await hour.play(3_600);
    } catch (error) {
      throw new Error(`seed ${seed} (again: SOAK_SEED=${seed} npm run soak -- test/soak/virtual-hour.soak.ts)`, {
        cause: error,
      });
    }
    for (const [name, count] of Object.entries(hour.counts)) total[name] = (total[name] ?? 0) + count;
  }
  console.log(`virtual hours: ${seeds.length}`, { ...total, lost: 0, twice: 0, 'under a pause, hold or silence': 0 });

  for (const what of [
    'actions',
    'withheld',
    'repeats',
    'restarts',
    'reloads',
    'poll outages',
    'holds',
    'silences',
    'pauses',
  ])
    expect(total[what], what).toBeGreaterThan(0);
});
