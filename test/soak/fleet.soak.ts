// Ten real minutes: two daemons as processes, a real Redis, IVS and SQS over HTTP, and faults of every kind. SOAK_SECONDS makes it shorter,
// SOAK_SEED repeats its choices (but not the machine's behaviour). docs/operations.md says how to read the counts.
//
// The event loop. Every daemon records when its loop was blocked (test/support/loop-stands.mjs). On a busy machine a loop is blocked
// because its thread gets no core, or because the machine itself was suspended: the time for which the thread was ready and waited for a
// core is subtracted, and so is the time for which a bare process was blocked at the same moment. What is left is caused by the daemon: at
// most 250 ms.
import { expect, test } from 'vitest';
import { seededRandom } from '#test/support/quiet.ts';
import { SoakPlay } from '#test/support/soak-play.ts';
import { SoakStand } from '#test/support/soak-stand.ts';

const seconds = Number(process.env['SOAK_SECONDS'] ?? 600);
const seed = Number(process.env['SOAK_SEED'] ?? Date.now() % 1_000_000);
const mostOwnStandMs = 250;
const again = `SOAK_SECONDS=${seconds} SOAK_SEED=${seed} npm run soak -- test/soak/fleet.soak.ts`;

test(`${seconds} s of faults: nothing acts under a pause or hold, nothing acts twice, nothing accepted is lost`, {
  timeout: (seconds + 600) * 1_000,
}, async () => {
  const random = seededRandom(seed);
  await using stand = await SoakStand.create(random);
  const play = await SoakPlay.begin(stand, { seconds, random });
  try {
    await play.run();
  } catch (error) {
    throw new Error(`it did not come to its end (again: ${again})\n${logs(stand)}`, { cause: error });
  } finally {
    const { own, whole, waited } = await stand.loopMs();
    const loop = { 'loop stood, own (ms)': own, 'loop stood, whole (ms)': whole, 'waited for a core (ms)': waited };
    const counts = Object.entries(play.ledger.counts).sort(([a], [b]) => a.localeCompare(b));
    console.log(`soak of ${seconds} s, seed ${seed}`, { ...Object.fromEntries(counts), ...rounded(loop) });
  }

  expect(play.broken.slice(0, 20), again).toEqual([]);
  expect((await stand.loopMs()).own, again).toBeLessThanOrEqual(mostOwnStandMs);
  for (const what of ['actions', 'accepted', 'pauses', 'holds'])
    expect(play.ledger.counts[what], what).toBeGreaterThan(0);
});

function rounded(values: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Math.round(value)]));
}

function logs({ daemons }: SoakStand): string {
  return daemons.map(({ pid, log }) => `daemon ${pid}:\n${log.slice(-15).join('\n')}`).join('\n');
}
