import { expect, test } from 'vitest';
import { type Decision, decisionReasons } from '#domain/decision.ts';
import { spanText } from '#domain/duration.ts';
import { decisionWords } from './words.ts';

const atMs = Date.parse('2026-11-20T10:00:00Z');
const told = (more: Partial<Decision>): Parameters<typeof decisionWords>[0] => ({
  outcome: 'suppressed',
  reason: 'fired',
  atMs,
  trigger: { kind: 'state', sinceMs: atMs - 30_000, text: 'health is STARVING', values: {} },
  guards: [],
  withheld: [],
  ...more,
});

test('states a reason with the values that were compared, or in plain words if they are unknown', () => {
  const held = { guard: 'hold', passed: false, values: { by: 'token mara', reason: 'sponsor on air' } } as const;
  const cooldown = { guard: 'cooldown', passed: false, values: { lastFired: '2026-11-20T09:56:00.000Z' } } as const;
  const cap = { guard: 'max_live_percent', passed: false, values: { affected: 31, live: 120 } } as const;
  const silenced = { action: 'notify', reason: 'silenced', values: { author: 'jonas', reason: 'a move' } } as const;
  const cases: readonly (readonly [Partial<Decision>, string])[] = [
    [{ outcome: 'acted', reason: 'fired' }, 'fired after 30 s'],
    [{ outcome: 'acted', reason: 'step_due', afterMs: 180_000 }, '3 min after firing'],
    [{ outcome: 'acted', reason: 'step_due' }, 'a later action'],
    [
      { outcome: 'not_fired', reason: 'step_cancelled', afterMs: 90_000 },
      'over before the action 1 min 30 s after firing',
    ],
    [{ outcome: 'not_fired', reason: 'for_not_reached' }, 'over after 30 s'],
    [{ reason: 'held', guards: [held] }, 'on hold by mara: sponsor on air'],
    [
      { reason: 'held', guards: [held], afterMs: 60_000 },
      '1 min after firing, held back: on hold by mara: sponsor on air',
    ],
    [{ reason: 'held' }, 'the channel was on hold'],
    [{ reason: 'cooldown', guards: [cooldown] }, 'fired 4 min before'],
    [{ reason: 'cooldown', guards: [{ ...cooldown, values: { lastFired: 'never' } }] }, 'fired too recently'],
    [{ reason: 'max_live_percent', guards: [cap] }, '31 of 120 live channels at once'],
    [{ reason: 'silenced', withheld: [silenced] }, 'silenced by jonas: a move'],
  ];
  for (const [more, words] of cases) expect(decisionWords(told(more))).toBe(words);
});

test('never states a reason in words of the code', () => {
  for (const reason of Object.keys(decisionReasons) as (keyof typeof decisionReasons)[])
    expect(decisionWords(told({ reason }))).not.toMatch(/_|^$/);
});

test('writes a duration in its two largest units', () => {
  expect([0, 400, 42_000, 60_000, 252_000, 3_600_000, 3_660_000, 90_061_000].map(spanText)).toEqual([
    '0.0 s',
    '0.4 s',
    '42 s',
    '1 min',
    '4 min 12 s',
    '1 h',
    '1 h 1 min',
    '1 d 1 h',
  ]);
});
