// What the operator's page shows besides the rows: counts, mode, trust, what needs a person, quota, queues, batches.
// Built from narrow sources that page.ts supplies; each may be missing, and the page then leaves its part out.
import type { OldPictureOf } from '#domain/picture.ts';
import type { RuleMode } from '#domain/rule.ts';
import type { QuotaHour } from '#ivs/quota-hour.ts';
import type { AccountLine } from '../account-lines.ts';
import type { Alert } from '../alert.ts';

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
  /** Seconds until it is empty at the rate of the quota. */
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
  /** Conditions that are true while `for` runs, and when the first of them is due; epoch ms. */
  readonly pending: number;
  readonly pendingSinceMs?: number | undefined;
  readonly forMs: number;
  /** Conditions that have lasted, and that the rule has acted on. */
  readonly firing: number;
  /** Conditions that have lasted, but for which a guard holds the rule back. */
  readonly heldBack: number;
  /** Groups that may not fire again yet, and when the last of them may. */
  readonly cooling: number;
  readonly coolingUntilMs?: number | undefined;
  /** Stopped by `max_live_percent` until a person resets it. */
  readonly capped: boolean;
}

/** One source of data, its age, and whether it can be trusted. */
export interface TrustLine {
  readonly name: string;
  readonly state: 'ok' | 'stale' | 'unknown';
  readonly text: string;
  /** When it last gave data; epoch ms. */
  readonly atMs?: number | undefined;
}

export interface SilenceLine {
  readonly id: string;
  readonly who: string;
  readonly reason: string;
  /** As written, one matcher each. */
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
        /** Redis could not be written: only the replica that answers knows of the pause. */
        readonly onlyHere?: true | undefined;
      }
    | undefined;
  /** Redis cannot be used: what the status says of the state is as of an earlier moment, and nothing is decided. */
  readonly picture?: OldPictureOf | undefined;
  /** True: a standby that was not activated. */
  readonly standby: boolean;
  /** Replicas with a heartbeat in the last ten seconds. */
  readonly replicas?: readonly ReplicaLine[] | undefined;
  /** The accounts of the configuration, with who carries each; left out if there is one. */
  readonly accounts?: readonly AccountLine[] | undefined;
  readonly rules: readonly RuleLine[];
  readonly config: { readonly hash: string; readonly loadedAtMs: number; readonly error?: string | undefined };
  /** True: what the page shows may be old; rules do not act on it either. */
  readonly stale: boolean;
  readonly trust: readonly TrustLine[];
  /** How often polls overruled events: since the state began, and in the last hour. */
  readonly disagreements: { readonly started: number; readonly ended: number; readonly health: number };
  readonly disagreementsLastHour: number;
  /** Age of the oldest event that the last read of the queue returned; absent while it is not known. */
  readonly eventLagMs?: number | undefined;
  /** What needs a person, the most severe first. */
  readonly needs: readonly Alert[];
  readonly silences: readonly SilenceLine[];
  readonly activity: readonly ActivityLine[];
  /** Names, by ARN, of the channels that other parts mention; a channel without a name is absent. */
  readonly names: Readonly<Record<string, string>>;
  readonly quota?: QuotaStatus | undefined;
  /** A part of its own, because it changes every ten seconds and not with every call. */
  readonly quotaHour?: QuotaHour | undefined;
  readonly queues?: readonly QueueLine[] | undefined;
  readonly batches?: readonly BatchLine[] | undefined;
}
