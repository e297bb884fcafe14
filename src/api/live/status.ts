// What the operator's page shows beside the rows: counts, mode, trust, what needs a person, quota, queues, batches.
// Gathered from narrow sources that page.ts fills in; each may be missing, and the page then leaves its part out.
import type { RuleMode } from '#domain/rule.ts';
import type { QuotaHour } from '#ivs/quota-hour.ts';
import type { AccountLine } from '../account-lines.ts';
import type { Alert } from '../alerts.ts';

export interface QuotaLine {
  readonly shard: string;
  readonly operation: string;
  readonly limit: number;
  /** Calls in the last second. */
  readonly used: number;
  /** Calls per second that are withheld for a while after AWS refused some. */
  readonly withheld: number;
  /** Channels that are slowed down for a while after AWS refused calls for them. */
  readonly slowedChannels: number;
  readonly waiting: number;
}

export interface LaneLine {
  readonly lane: string;
  readonly waiting: number;
  readonly oldestMs?: number | undefined;
  /** Seconds until it is empty at the quota's pace. */
  readonly drainSeconds?: number | undefined;
}

export interface QuotaStatus {
  readonly operations: readonly QuotaLine[];
  readonly hottest: readonly {
    readonly channelId: string;
    /** Undefined while the channel is not known. */
    readonly arn: string | undefined;
    readonly used: number;
    readonly limit: number;
  }[];
  readonly lanes: readonly LaneLine[];
}

export interface QueueLine {
  readonly name: string;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

export interface BatchLine {
  readonly id: string;
  readonly state: string;
  readonly lane: string;
  readonly channels: number;
  readonly items: number;
  /** Epoch ms. */
  readonly startedMs: number;
  readonly finishedMs?: number | undefined;
  readonly etaSeconds?: number | undefined;
  readonly counts: Readonly<Record<string, number>>;
  /** Why items failed, by error code. */
  readonly failures: Readonly<Record<string, number>>;
  /** Who sent it: `token mara`, `rule viewer-milestone`. */
  readonly by: string;
}

export interface RuleLine {
  readonly name: string;
  readonly mode: RuleMode;
  readonly description?: string | undefined;
  /** What it does, in plain words. */
  readonly sentence?: string | undefined;
  /** Conditions that are true while `for` runs, and when the first of them fires; epoch ms. */
  readonly pending: number;
  readonly pendingSinceMs?: number | undefined;
  readonly forMs: number;
  /** Conditions that have lasted, and that the rule has acted for. */
  readonly firing: number;
  /** Conditions that have lasted, and that a guard holds the rule back from. */
  readonly heldBack: number;
  /** Groups that may not fire again yet, and until when the last of them. */
  readonly cooling: number;
  readonly coolingUntilMs?: number | undefined;
  /** Stopped by `max_live_percent` until a person starts it again. */
  readonly capped: boolean;
}

/** One source of truth, its age, and whether it may be believed. */
export interface TrustLine {
  readonly name: string;
  readonly state: 'ok' | 'stale' | 'unknown';
  readonly text: string;
  /** When it was last heard of; epoch ms. */
  readonly atMs?: number | undefined;
}

export interface SilenceLine {
  readonly id: string;
  readonly who: string;
  readonly reason: string;
  /** As written, each by itself. */
  readonly matchers: readonly string[];
  readonly untilMs: number;
}

export interface ActivityLine {
  readonly id: string;
  readonly atMs: number;
  readonly rule: string;
  readonly outcome: string;
  readonly text: string;
  readonly arn?: string | undefined;
}

export interface ReplicaLine {
  readonly id: string;
  readonly version: string;
  readonly configHash: string;
  readonly role: string;
  readonly startedAtMs: number;
  /** Its clock minus Redis's. */
  readonly clockOffsetSeconds?: number | undefined;
}

export interface LiveStatus {
  readonly nowMs: number;
  readonly counts: {
    readonly live: number;
    readonly starving: number;
    readonly unknown: number;
    readonly held: number;
    readonly channels: number;
  };
  readonly pause?:
    | {
        readonly who: string;
        /** `state_lost`: the daemon paused itself; `text` says more. */
        readonly reason: string;
        readonly sinceMs: number;
        readonly text?: string | undefined;
      }
    | undefined;
  /** True: a standby that was not activated. */
  readonly standby: boolean;
  /** Replicas that gave a sign of life in the last ten seconds. */
  readonly replicas?: readonly ReplicaLine[] | undefined;
  /** Of the configuration, with who carries each; left out where there is one. */
  readonly accounts?: readonly AccountLine[] | undefined;
  readonly rules: readonly RuleLine[];
  readonly config: { readonly hash: string; readonly loadedAtMs: number; readonly error?: string | undefined };
  /** True: what the page shows may be old; nothing acts on it either. */
  readonly stale: boolean;
  readonly trust: readonly TrustLine[];
  /** How often polls overturned what events had said: since the state began, and in the last hour. */
  readonly disagreements: { readonly started: number; readonly ended: number; readonly health: number };
  readonly disagreementsLastHour: number;
  /** Age of the oldest event that the last read of the queue gave; absent while it is not known. */
  readonly eventLagMs?: number | undefined;
  /** What needs a person, the worst first. */
  readonly needs: readonly Alert[];
  readonly silences: readonly SilenceLine[];
  readonly activity: readonly ActivityLine[];
  /** What channels are called that are named in other parts, by ARN; one that never had a name is absent. */
  readonly names: Readonly<Record<string, string>>;
  readonly quota?: QuotaStatus | undefined;
  /** A part of its own: it changes every ten seconds, not with every call. */
  readonly quotaHour?: QuotaHour | undefined;
  readonly queues?: readonly QueueLine[] | undefined;
  readonly batches?: readonly BatchLine[] | undefined;
}
