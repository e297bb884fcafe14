import pino from 'pino';
import { expect, test } from 'vitest';
import { createMetrics } from '#runtime/metrics.ts';
import { LoginGuard } from './login-guard.ts';

function setup() {
  let nowMs = 0;
  const lines: { address: string; msg: string }[] = [];
  const metrics = createMetrics();
  const guard = new LoginGuard({
    clock: { monotonic: () => nowMs, sleep: () => Promise.resolve() },
    logger: pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    metrics,
  });
  const fail = async (address: string) =>
    guard.failed(address).then(
      () => 'refused',
      (error: { code: string }) => error.code,
    );
  return { guard, lines, fail, pass: (ms: number) => (nowMs += ms) };
}

test('slows an address down after ten wrong tokens at once; later it may send wrong tokens again', async () => {
  const { fail, lines, pass } = setup();
  const answers = [];
  for (let n = 0; n < 12; n += 1) answers.push(await fail('203.0.113.1'));
  expect(answers).toEqual([...Array.from({ length: 10 }, () => 'refused'), 'TOO_MANY_LOGINS', 'TOO_MANY_LOGINS']);
  expect(await fail('203.0.113.2')).toBe('refused');
  pass(12_100);
  expect(await fail('203.0.113.1')).toBe('refused');
  expect(lines.map(({ address }) => address)).toEqual(['203.0.113.1', '203.0.113.2']);
  // After an episode has ended, another one can begin.
  pass(120_000);
  await fail('203.0.113.1');
  expect(lines).toHaveLength(3);
});

test('a flood from many addresses fills neither memory nor log', async () => {
  const { guard, fail, lines } = setup();
  for (let n = 0; n < 3_000; n += 1) await fail(`2001:db8:${n.toString(16)}::1`);
  expect(guard.size).toBe(1_000);
  expect(lines).toHaveLength(20);
  expect(lines.at(-1)!.msg).toContain('many addresses');
});
