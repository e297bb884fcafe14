// What a report says of a stream session: the JSON form. Times are ISO 8601; what is not known is left out.
import type { StreamHealth } from '#domain/channel.ts';
import type { StreamState } from '#domain/stream-record.ts';

/** Of one session, or of the last sessions of several channels. */
export interface Report {
  readonly version: 1;
  readonly title: string;
  readonly madeAt: string;
  readonly sessions: readonly SessionReport[];
  /** Channels that were left out: their number is bounded. */
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
  /** No event told the moment of the end: it was over by `endedAt`. */
  readonly endedAtLatest?: true;
  readonly endReason?: string;
  /** Who stopped it through this daemon. */
  readonly stoppedBy?: string;
  /** When a part of it was learnt that nobody saw. */
  readonly learntAt?: string;
  readonly health: HealthSummary;
  readonly viewers: ViewersSummary;
  /** Oldest first; of a long session each stands for several, with the most viewers and the worst health among them. */
  readonly samples: readonly ReportSample[];
  readonly limitBreaches: readonly ReportBreach[];
  readonly actions: readonly ReportAction[];
  readonly withheld: readonly ReportWithheld[];
  /** What people asked for. */
  readonly operators: readonly ReportRequest[];
  readonly cues: CueSummary;
  readonly adBreaks: readonly ReportAdBreak[];
  readonly recording: {
    readonly state: 'none' | 'recording' | 'ended' | 'failed';
    readonly since?: string;
    readonly prefix?: string;
  };
  /** On the encoder's settings; left out: nobody has asked IVS (`capture_session`). */
  readonly hints?: readonly string[];
  readonly timeline: readonly {
    readonly at: string;
    readonly source: string;
    readonly name: string;
    readonly text: string;
  }[];
  /** Not all of the journal was looked at. */
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
  /** Nobody looked: no sample covers this time. */
  readonly unseenSeconds: number;
  /** When it was starving; `to` is left out where that was not seen, and of what goes on. */
  readonly starving: readonly { readonly from: string; readonly to?: string; readonly ongoing?: true }[];
}

export interface ViewersSummary {
  readonly peak?: { readonly viewers: number; readonly at: string };
  /** Mean of the minutes in which IVS counted. */
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
  /** Left out: the job has not ended. */
  readonly outcome?: string;
  readonly detail?: string;
}

export interface ReportWithheld {
  readonly at: string;
  readonly rule: string;
  /** Left out: the rule as a whole was held back. */
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

/** Timed metadata that rules and operators' actions sent to the channel. */
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
