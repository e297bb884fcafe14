// The guards: each a pure predicate over the values it compares, which it returns as the evidence. They are asked in the order of
// `guardNames`; the first that does not pass decides. Silences and inhibitions, which judge single actions, are in muting.ts.

import type { DecisionReason, GuardName, GuardVerdict } from '#domain/decision.ts';
import { iso } from '#domain/duration.ts';

export const reasonOfGuard = {
  warm_up: 'warming_up',
  on_data_gap: 'data_gap',
  stopped: 'rule_stopped',
  pause: 'paused',
  hold: 'held',
  max_event_age: 'event_too_old',
  once_per: 'once_per_session',
  cooldown: 'cooldown',
  min_gap: 'min_gap',
  incident: 'incident_open',
  max_per_hour: 'max_per_hour',
  max_live_percent: 'max_live_percent',
  silence: 'silenced',
  inhibit: 'inhibited',
} as const satisfies Record<GuardName, DecisionReason>;

/** Guards whose no is final for a cause; after any other no, the cause is judged again while it lasts. */
export const finalGuards: ReadonlySet<GuardName> = new Set(['max_event_age', 'once_per']);

/** Everything the guards of one decision compare. A guard whose input is undefined is not asked. */
export interface GuardInputs {
  readonly nowMs: number;
  readonly warmUp:
    | {
        readonly startedMs: number;
        readonly polledMs: number | undefined;
        /** The channel has not been listed yet. */
        readonly isUnlisted: boolean;
      }
    | undefined;
  readonly dataGap:
    | {
        /** Sources that are silent now. */
        readonly silent: readonly string[];
        /** Since when the last complete poll has been too old. */
        readonly staleAtMs?: number;
        /** The complete poll that did not list the stream, and was the latest source about it. */
        readonly unlistedAtMs?: number;
      }
    | undefined;
  readonly stopped: { readonly sinceMs: number | undefined };
  readonly pause: { readonly by: string | undefined; readonly reason: string };
  readonly hold: { readonly by: string | undefined; readonly reason: string } | undefined;
  readonly maxEventAge: { readonly eventMs: number; readonly limitMs: number } | undefined;
  readonly oncePer: { readonly done: boolean; readonly streamId: string } | undefined;
  readonly cooldown: { readonly lastFiredMs: number | undefined; readonly limitMs: number } | undefined;
  /** For a rule that inserts ad breaks. */
  readonly incident: { readonly open: string | undefined } | undefined;
  readonly minGap: { readonly lastEndsMs: number | undefined; readonly limitMs: number } | undefined;
  readonly maxPerHour: { readonly fired: number; readonly limit: number } | undefined;
  readonly maxLivePercent: { readonly affected: number; readonly live: number; readonly percent: number } | undefined;
}

/** All verdicts up to and including the first that did not pass. */
export function askGuards(inputs: GuardInputs): readonly GuardVerdict[] {
  const verdicts: GuardVerdict[] = [];
  for (const guard of guards) {
    const verdict = guard(inputs);
    if (!verdict) continue;
    verdicts.push(verdict);
    if (!verdict.passed) break;
  }
  return verdicts;
}

/** Every verdict, including those after one that did not pass: for explanations. */
export function askAllGuards(inputs: GuardInputs): readonly GuardVerdict[] {
  return guards.flatMap((guard) => guard(inputs) ?? []);
}

type Guard = (inputs: GuardInputs) => GuardVerdict | undefined;

/** How many of the live channels a rule may touch at once: a single one is always allowed. */
function allowedChannels(live: number, percent: number): number {
  return Math.max(1, Math.floor((live * percent) / 100));
}

const guards: readonly Guard[] = [
  ({ warmUp }) =>
    warmUp && {
      guard: 'warm_up',
      passed: warmUp.polledMs !== undefined && warmUp.polledMs >= warmUp.startedMs && !warmUp.isUnlisted,
      values: {
        started: iso(warmUp.startedMs),
        lastCompletePoll: warmUp.polledMs === undefined ? 'none' : iso(warmUp.polledMs),
        ...(warmUp.isUnlisted ? { channel: 'not listed yet' } : {}),
      },
    },
  ({ dataGap }) =>
    dataGap && {
      guard: 'on_data_gap',
      passed: dataGap.silent.length === 0 && dataGap.staleAtMs === undefined && dataGap.unlistedAtMs === undefined,
      values: {
        silent: dataGap.silent.join(', ') || 'none',
        ...(dataGap.staleAtMs === undefined ? {} : { pollStaleSince: iso(dataGap.staleAtMs) }),
        ...(dataGap.unlistedAtMs === undefined ? {} : { notListedAt: iso(dataGap.unlistedAtMs) }),
      },
    },
  ({ stopped: { sinceMs } }) => ({
    guard: 'stopped',
    passed: sinceMs === undefined,
    values: sinceMs === undefined ? {} : { since: iso(sinceMs) },
  }),
  ({ pause: { by, reason } }) => ({
    guard: 'pause',
    passed: by === undefined,
    values: by === undefined ? {} : { by, reason },
  }),
  ({ hold }) =>
    hold && {
      guard: 'hold',
      passed: hold.by === undefined,
      values: hold.by === undefined ? {} : { by: hold.by, reason: hold.reason },
    },
  ({ nowMs, maxEventAge }) =>
    maxEventAge && {
      guard: 'max_event_age',
      passed: nowMs - maxEventAge.eventMs <= maxEventAge.limitMs,
      values: { ageMs: nowMs - maxEventAge.eventMs, limitMs: maxEventAge.limitMs },
    },
  ({ oncePer }) =>
    oncePer && { guard: 'once_per', passed: !oncePer.done, values: { streamId: oncePer.streamId, done: oncePer.done } },
  ({ nowMs, cooldown }) =>
    cooldown && {
      guard: 'cooldown',
      passed: cooldown.lastFiredMs === undefined || nowMs - cooldown.lastFiredMs >= cooldown.limitMs,
      values: {
        limitMs: cooldown.limitMs,
        lastFired: cooldown.lastFiredMs === undefined ? 'never' : iso(cooldown.lastFiredMs),
      },
    },
  ({ nowMs, minGap }) =>
    minGap && {
      guard: 'min_gap',
      passed: minGap.lastEndsMs === undefined || nowMs - minGap.lastEndsMs >= minGap.limitMs,
      values: {
        limitMs: minGap.limitMs,
        lastEnds: minGap.lastEndsMs === undefined ? 'none' : iso(minGap.lastEndsMs),
      },
    },
  ({ incident }) =>
    incident && {
      guard: 'incident',
      passed: incident.open === undefined,
      values: { incident: incident.open ?? 'none' },
    },
  ({ maxPerHour }) =>
    maxPerHour && {
      guard: 'max_per_hour',
      passed: maxPerHour.fired < maxPerHour.limit,
      values: { firedInLastHour: maxPerHour.fired, limit: maxPerHour.limit },
    },
  ({ maxLivePercent }) =>
    maxLivePercent && {
      guard: 'max_live_percent',
      passed: maxLivePercent.affected <= allowedChannels(maxLivePercent.live, maxLivePercent.percent),
      values: {
        affected: maxLivePercent.affected,
        live: maxLivePercent.live,
        allowed: allowedChannels(maxLivePercent.live, maxLivePercent.percent),
        percent: maxLivePercent.percent,
      },
    },
];
