// Every value that was compared, as one kind of entry: by guards, by silences and inhibitions that held something back, and by workers
// right before they acted.
import type { Check, Decision, GuardName, GuardVerdict, Values } from '#domain/decision.ts';

/** A check as people and programs get it. */
export interface ShownCheck {
  readonly check: string;
  readonly verdict: 'passed' | 'failed';
  readonly asked: Readonly<Record<string, unknown>>;
  readonly found: Readonly<Record<string, unknown>>;
  readonly at: string;
}

export function shownCheck({ check, verdict, asked, found, atMs }: Check): ShownCheck {
  return { check, verdict, asked, found, at: new Date(atMs).toISOString() };
}

/** Which of a guard's values are limits; the others are what it found. */
const limits: Readonly<Record<GuardName, readonly string[]>> = {
  warm_up: ['started'],
  on_data_gap: [],
  stopped: [],
  pause: [],
  hold: [],
  max_event_age: ['limitMs'],
  once_per: [],
  cooldown: ['limitMs'],
  min_gap: ['limitMs'],
  incident: [],
  max_per_hour: ['limit'],
  max_live_percent: ['percent', 'allowed'],
  silence: [],
  inhibit: [],
};

/** What a guard without a limit requires. */
const wanted: Readonly<Partial<Record<GuardName, Values>>> = {
  on_data_gap: { silent: 'none' },
  stopped: { stopped: false },
  pause: { paused: false },
  hold: { held: false },
  once_per: { done: false },
  incident: { incident: 'none' },
  silence: { silenced: false },
  inhibit: { inhibited: false },
};

/** A guard's verdict as a check. */
export function checkOfGuard({ guard, passed, values }: GuardVerdict, atMs: number): Check {
  const isLimit = ([name]: readonly [string, unknown]) => limits[guard].includes(name);
  const pairs = Object.entries(values);
  const asked = { ...wanted[guard], ...Object.fromEntries(pairs.filter(isLimit)) };
  const [flag] = Object.entries(wanted[guard] ?? {}).filter(([, value]) => value === false);
  const found = {
    ...(flag ? { [flag[0]]: !passed } : {}),
    ...Object.fromEntries(pairs.filter((pair) => !isLimit(pair))),
  };
  return { check: guard, verdict: passed ? 'passed' : 'failed', asked, found, atMs };
}

/** Everything that a decision compared, in order, without what its jobs compared later. */
export function checksOfDecision({ guards, withheld, atMs }: Pick<Decision, 'guards' | 'withheld' | 'atMs'>): Check[] {
  return [
    ...guards.map((verdict) => checkOfGuard(verdict, atMs)),
    ...withheld.map(
      ({ action, reason, values }): Check => ({
        check: reason === 'silenced' ? 'silence' : reason === 'inhibited' ? 'inhibit' : reason,
        verdict: 'failed',
        asked: { action },
        found: { reason, ...values },
        atMs,
      }),
    ),
  ];
}
