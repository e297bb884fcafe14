// Entries of the append-only logs (state-registry.ts names the logs).
import type { Check } from './decision.ts';

export interface AuditEntry {
  readonly atMs: number;
  /** `rule <name>`, `token <name>`; `loopback` if no token is configured. */
  readonly who: string;
  /** What was requested or done: an action's name, or a command such as `pause`, `cancel_intent`. */
  readonly what: string;
  /** `requested`, `refused`, or the result: done, already_done, skipped, deferred, failed. */
  readonly outcome: string;
  /** The operator's reason, or the decision's id. */
  readonly why: string;
  readonly channelArn?: string | undefined;
  readonly jobId?: string | undefined;
  readonly params?: unknown;
  readonly before?: unknown;
  readonly after?: unknown;
  /** Why nothing was done, or what failed. */
  readonly reason?: string | undefined;
  readonly dryRun?: boolean | undefined;
  /** Id of the decision that caused it. */
  readonly decisionId?: string | undefined;
  /** What was compared right before. */
  readonly checks?: readonly Check[] | undefined;
  /** Hash of the configuration in force. */
  readonly configHash?: string | undefined;
  /** For an entry that stands for many members of a fan-out: the members. Readers of the audit get one entry for each. */
  readonly many?: AuditedMembers | undefined;
}

export interface AuditedMembers {
  readonly fanoutId: string;
  readonly members: readonly (readonly [place: number, decisionId: string, channelArn: string])[];
}

/** An entry of the log `deliveries`. */
export interface DeliveryEntry {
  readonly jobId: string;
  readonly action: string;
  /** Host of the address. */
  readonly host: string;
  readonly attempt: number;
  readonly atMs: number;
  readonly status?: number | undefined;
  readonly error?: string | undefined;
}

export interface UnknownEvent {
  readonly reason: string;
  /** The message's body, cut after a few thousand characters. */
  readonly body: string;
  readonly arrivedAtMs: number;
}

/** One entry of the log. `calls` counts since the ledger began; `throttled` is the refusals of one replica since its last entry. */
export interface QuotaSample {
  readonly shard: string;
  readonly atMs: number;
  readonly calls?: number;
  readonly throttled?: number;
}

/** Viewers and health as one number; if the sample is older than its entry, with the difference in seconds (src/streams/samples.ts). */
export type SampleEntry = number | readonly [sample: number, lateSeconds: number];

/** The live streams of an account: how many have each health, the viewers of the counted ones, and how many were not counted. */
export type FleetSampleEntry = readonly [
  healthy: number,
  starving: number,
  unknown: number,
  viewers: number,
  uncounted: number,
];

/** What `capture_session` found. */
export interface CapturedSession {
  readonly channelArn: string;
  readonly streamId: string;
  readonly channelType: string;
  readonly video: readonly object[];
  readonly audio: readonly object[];
  readonly hints: readonly string[];
  readonly events: readonly object[];
  readonly jobId: string;
  readonly atMs: number;
}
