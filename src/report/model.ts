// What a report says about a stream session: its JSON format. Times are ISO 8601; unknown values are left out.
import type { StreamHealth } from '#domain/channel.ts';
import type { StreamState } from '#domain/stream-record.ts';

/** About one session, or about the last sessions of several channels. */
export interface Report {
  readonly version: 1;
  readonly title: string;
  readonly madeAt: string;
  readonly sessions: readonly SessionReport[];
  /** Number of channels that were left out, because a report has a limit. */
  readonly leftOut?: number;
}

export interface SessionReport {
  readonly channelArn: string;
  /** Empty: there is none, or it is unknown. */
  readonly channelName: string;
  readonly streamId: string;
  readonly state: StreamState;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly durationSeconds?: number;
  /** No event reported the end: it was over by `endedAt`. */
  readonly endedAtLatest?: true;
  readonly endReason?: string;
  /** Who stopped it through this daemon. */
  readonly stoppedBy?: string;
  /** When an unobserved part of it was learnt. */
  readonly learntAt?: string;
  readonly health: HealthSummary;
  readonly viewers: ViewersSummary;
  /** Oldest first; for a long session each stands for several, with the most viewers and the worst health among them. */
  readonly samples: readonly ReportSample[];
  readonly limitBreaches: readonly ReportBreach[];
  readonly actions: readonly ReportAction[];
  readonly withheld: readonly ReportWithheld[];
  /** What people requested. */
  readonly operators: readonly ReportRequest[];
  readonly cues: CueSummary;
  readonly adBreaks: readonly ReportAdBreak[];
  readonly recording: {
    readonly state: 'none' | 'recording' | 'ended' | 'failed';
    readonly since?: string;
    readonly prefix?: string;
  };
  /** About the encoder's settings; undefined: nobody has asked IVS (`capture_session`). */
  readonly hints?: readonly string[];
  readonly timeline: readonly {
    readonly at: string;
    readonly source: string;
    readonly name: string;
    readonly text: string;
  }[];
  /** Part of the journal was not read. */
  readonly incomplete?: true;
  /** Lists that reached their limit, so that there may be more. */
  readonly full?: readonly ReportList[];
}

export const reportLists = [
  'starving',
  'limitBreaches',
  'adBreaks',
  'actions',
  'withheld',
  'operators',
  'timeline',
] as const;
export type ReportList = (typeof reportLists)[number];

export interface HealthSummary {
  readonly healthySeconds: number;
  readonly starvingSeconds: number;
  readonly unknownSeconds: number;
  /** Unobserved: no sample covers this time. */
  readonly unseenSeconds: number;
  /** When it was starving; `to` is undefined if the end was not observed, or it still lasts. */
  readonly starving: readonly { readonly from: string; readonly to?: string; readonly ongoing?: true }[];
}

export interface ViewersSummary {
  readonly peak?: { readonly viewers: number; readonly at: string };
  /** Average over the minutes in which IVS counted. */
  readonly average?: number;
}

export interface ReportSample {
  readonly at: string;
  readonly health: StreamHealth;
  readonly viewers?: number;
}

export interface ReportBreach {
  readonly at: string;
  readonly limitName: string;
  readonly limitValue?: number;
  readonly exceededBy?: number;
  readonly limitUnit?: string;
}

export interface ReportAction {
  readonly at: string;
  readonly rule: string;
  readonly action: string;
  readonly jobId: string;
  /** Undefined: the job has not ended. */
  readonly outcome?: string;
  readonly detail?: string;
}

export interface ReportWithheld {
  readonly at: string;
  readonly rule: string;
  /** Undefined: the rule as a whole was held back. */
  readonly action?: string;
  readonly reason: string;
  readonly meaning: string;
}

export interface ReportRequest {
  readonly at: string;
  readonly who: string;
  readonly what: string;
  readonly outcome: string;
  readonly why: string;
}

/** Timed metadata that rules and operator actions sent to the channel. */
export interface CueSummary {
  readonly jobs: number;
  readonly delivered: number;
  readonly expired: number;
  readonly failed: number;
  /** Replaced, cancelled, or for a stream that was not broadcasting. */
  readonly notSent: number;
}

export interface ReportAdBreak {
  readonly id: string;
  readonly startsAt: string;
  readonly endsAt: string;
}
