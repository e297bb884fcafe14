// What actions remember between their runs, as stored in the shared state (state-registry.ts has the keys).
import type { ActionJob, ActionName, ActionParams } from './action.ts';

/** The result of one run of a job; also the metric's label. */
export type RunOutcome =
  | 'done'
  | 'skipped'
  | 'deferred'
  | 'already_done'
  | 'retry'
  | 'postponed'
  | 'failed'
  /** It may have taken effect, and is not retried. */
  | 'unknown'
  | 'interrupted';

export const intentKinds = [
  'set_recording',
  'rotate_stream_key',
  'set_ad_configuration',
  'set_playback_restriction',
] as const;
export type IntentKind = (typeof intentKinds)[number];

/** At `intent/<kind>|<channelArn>`. */
export interface Intent {
  readonly id: string;
  readonly kind: IntentKind;
  readonly channelArn: string;
  /** Such as `record with prod-s3`. */
  readonly summary: string;
  /** What is enqueued when the stream has ended. */
  readonly job: ActionJob<IntentKind>;
  readonly sinceMs: number;
  /** How many earlier intents this one replaced. */
  readonly replaced: number;
  readonly releases: number;
  readonly releasedAtMs?: number | undefined;
}

/** At `bulk/<id>`. */
export interface Bulk {
  readonly id: string;
  readonly action: ActionName;
  readonly state: 'preparing' | 'running' | 'stopped' | 'finished';
  readonly channels: number;
  /** Jobs enqueued so far. */
  readonly started: number;
  /** Ended jobs by outcome. */
  readonly outcomes: Readonly<Partial<Record<RunOutcome, number>>>;
  readonly cause: Extract<ActionJob['cause'], { kind: 'operator' }>;
  readonly dryRun: boolean;
  /** In a dry run: what the first of its jobs would do. */
  readonly wouldDo?: readonly BulkPlan[] | undefined;
  readonly sinceMs: number;
  /** When a job was last started or reported its end; for ad breaks the last turn of the started ones, if that is later. */
  readonly movedAtMs?: number | undefined;
  readonly endedAtMs?: number | undefined;
  /** Undefined: its jobs have set nothing that can be compared. */
  readonly verification?: BulkVerification | undefined;
}

/** The calls that a job of a bulk action would make, in order. */
export interface BulkPlan {
  readonly channelArn: string;
  readonly calls: readonly string[];
}

/** What the jobs of a bulk action have set, compared with what IVS returns afterwards. */
export interface BulkVerification {
  readonly state: 'waiting' | 'done';
  readonly checked: number;
  readonly differing: number;
  /** The first of them. */
  readonly differs: readonly BulkDifference[];
}

export interface BulkDifference {
  readonly channelArn: string;
  readonly expected: Readonly<Record<string, unknown>>;
  readonly found: Readonly<Record<string, unknown>>;
}

/** At `bulk-check/<bulk id>|<channelArn>`: what a channel's job has set, until it has been compared. */
export interface BulkCheck {
  readonly bulkId: string;
  readonly channelArn: string;
  readonly expected: Readonly<Record<string, unknown>>;
}

/** At `bulk-item/<bulk id>|<channelArn>`: a channel whose turn has not come yet. */
export interface BulkItem {
  readonly bulkId: string;
  readonly channelArn: string;
  readonly params: ActionParams;
}

/** At `key/<channelArn>`. */
export interface KeyRecord {
  /** Id of the rotating job, the same in each of its runs. */
  readonly rotationId: string;
  readonly startedAtMs: number;
  readonly updatedAtMs: number;
  /** Keys that this rotation replaces. */
  readonly oldKeyArns: readonly string[];
  /** The stream that was live with the old key when the key was deleted; null: there was none. Undefined: not checked yet. */
  readonly ejectStreamId?: string | null | undefined;
  readonly deliveredKeyArn?: string | undefined;
  readonly deliveredAtMs?: number | undefined;
  readonly sink: string;
  /** When it was verified that there is exactly one key, the delivered one. */
  readonly finishedAtMs?: number | undefined;
  /** While unfinished: the job that repairs it. */
  readonly job?: ActionJob<'rotate_stream_key'> | undefined;
  readonly repairs: number;
}

/** At `ad-break/<channelArn>`: the newest ad break that was requested, from getting its turn to its end. */
export interface AdBreakRequest {
  readonly jobId: string;
  /** `sent`: the call is being or was sent, and its result is not known yet. */
  readonly state: 'planned' | 'sent' | 'inserted' | 'unknown' | 'cancelled';
  /** Its turn. */
  readonly atMs: number;
  readonly placedMs: number;
  readonly durationSeconds: number;
  readonly cause: ActionJob['cause'];
  readonly streamId?: string | undefined;
  readonly sentMs?: number | undefined;
  readonly insertedMs?: number | undefined;
  readonly endsAtMs?: number | undefined;
  readonly adBreakId?: string | undefined;
  readonly cancelledBy?: string | undefined;
  /** End of the channel's previous break. */
  readonly lastEndsAtMs?: number | undefined;
  /** Requests that lost the channel to later ones, newest first, bounded: their jobs may still run, but get no second turn. */
  readonly displaced?: readonly Omit<AdBreakRequest, 'displaced'>[] | undefined;
}

export interface Lease {
  readonly jobId: string;
  readonly token: number;
  readonly untilMs: number;
  /** When it was found that nobody held the lease any longer. */
  readonly freedAtMs?: number;
}

/** At `recording/<channelArn>` and similar keys: the newest request that was carried out or deferred, and the running restart. */
export interface SettingRequest {
  readonly decidedAtMs: number;
  /** The requested configuration; empty: none. */
  readonly configurationArn: string;
  /** Streams that `restart` has stopped, or was about to stop. */
  readonly restarting?: readonly string[] | undefined;
}

/** At `playback-key/<name>`. */
export interface PlaybackKeyRecord {
  readonly rotationId: string;
  /** Name of the pair that this rotation imports: unique, so that the pair can be found if the answer is lost. */
  readonly pairName: string;
  /** Set once the private half is delivered. */
  readonly arn?: string | undefined;
  readonly deliveredAtMs?: number | undefined;
  readonly retiring: readonly { readonly arn: string; readonly deleteAtMs: number }[];
}

/** At `retiring/<configuration>|<decided at>`. */
export interface Retiring {
  readonly rounds: number;
  readonly doneAtMs?: number | undefined;
}

/** At `notified/<jobId>` while a notification is being sent. */
export interface NotifyProgress {
  /** Keys of the receiver's integrations that have received it; an earlier version stored their places instead. */
  readonly taken: readonly (string | number)[];
  /** By key: until when the integration asked for no further requests. */
  readonly waits?: Readonly<Record<string, number>>;
  /** When this was last written. */
  readonly atMs?: number;
}

/** At `delivered/<path without links>`: a file that a delivery created. */
export interface DeliveredFile {
  readonly atMs: number;
  /** For a report: when this entry is deleted, because each session may have a file of its own. */
  readonly untilMs?: number;
}

/** At `policy-edit/<policyArn>`: when the request was decided that last changed each list of a playback restriction policy. */
export interface PolicyEdit {
  readonly allowedCountries?: number | undefined;
  readonly allowedOrigins?: number | undefined;
}

/** At `channel-lease/<channelArn>`: who has leased a channel of a pool. */
export interface ChannelLease {
  readonly pool: string;
  readonly leaseId: string;
  readonly who: string;
  readonly sinceMs: number;
  /** When the lease ends by itself. */
  readonly untilMs?: number | undefined;
  /** Set before the first key is deleted. */
  readonly returning?: { readonly oldKeyArns: readonly string[] } | undefined;
}
