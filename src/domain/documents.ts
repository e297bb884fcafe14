// The documents of rules: their patterns match them, their templates print them. Builders are in src/rules/documents.ts.
// Unknown optional fields are left out, so that `exists: false` finds them; a field is never undefined or guessed.
import type { ChannelSettings, StreamHealth } from './channel.ts';
import type { StreamState } from './stream-record.ts';

/** What `state`, `aggregate`, `while` and `only_if` match, and `{{ stream… }}` prints: a channel's newest stream. */
export interface StreamDocument {
  readonly live: boolean;
  /** `offline`: no stream is known. */
  readonly state: StreamState | 'offline';
  readonly streamId?: string;
  /** When it went live, ISO 8601. */
  readonly startTime?: string;
  /** Whole seconds since then, while live. */
  readonly ageSeconds?: number;
  /** Only while live: whether an ad break is announced or running. */
  readonly adBreak?: boolean;
  /** Only while live. */
  readonly health?: StreamHealth;
  /** Only while live, and once counted. */
  readonly viewerCount?: number;
  readonly recording: 'none' | 'recording' | 'ended' | 'failed';
  /** Reason of a Stream Failure or code of a Session Ended. */
  readonly failureReason?: string;
}

/** The time fields of a stream's document. @param startedAtMs undefined: not known */
export function timesOfStream(
  startedAtMs: number | undefined,
  { live, nowMs }: { readonly live: boolean; readonly nowMs: number },
): Pick<StreamDocument, 'startTime' | 'ageSeconds'> {
  if (startedAtMs === undefined) return {};
  return {
    startTime: new Date(startedAtMs).toISOString(),
    ...(live ? { ageSeconds: ageSecondsOf(startedAtMs, nowMs) } : {}),
  };
}

/** How long a stream has been live: `ageSeconds` of its document. */
export function ageSecondsOf(startedAtMs: number, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - startedAtMs) / 1000));
}

/** What `match` matches, and `{{ channel… }}` prints. The settings are present once IVS has returned them. */
export interface ChannelDocument extends ChannelSettings {
  readonly arn: string;
  /** The last part of the ARN. */
  readonly id: string;
  readonly region: string;
  readonly account: string;
  /** May be empty. */
  readonly name: string;
  /** This and the next two are present only once the inventory knows the channel. */
  readonly type?: string;
  readonly latencyMode?: string;
  /** Empty: recording is off. */
  readonly recordingConfigurationArn?: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** `{{ session… }}`: the stream session in time. */
export interface SessionDocument {
  readonly id: string;
  /** ISO 8601. */
  readonly startedAt?: string;
  readonly endedAt?: string;
  /** Such as `1h4m`; up to now while it is live. */
  readonly duration?: string;
}

/** `{{ rule… }}`. */
export interface TemplateRule {
  readonly name: string;
  readonly mode: 'enforce' | 'dry_run' | 'off';
}

/** `{{ firing… }}`: how long the condition has been true. */
export interface FiringDocument {
  /** ISO 8601: when the condition began. */
  readonly since: string;
  /** Such as `35s`. */
  readonly duration: string;
  readonly durationSeconds: number;
  /** What the rule is grouped by; the channel's ARN by default. */
  readonly group: string;
  /** True in `on_resolve`. */
  readonly resolved: boolean;
}

/** `{{ aggregate… }}`. */
export interface AggregateDocument {
  /** Live channels in the condition. */
  readonly count: number;
  /** Live channels that `match` selects. */
  readonly live: number;
  /** 100 × count ÷ live. */
  readonly percent: number;
  /** Names of some of the channels in the condition; the id for a channel without a name. */
  readonly channels: readonly string[];
}

/** `{{ threshold… }}`. */
export interface ThresholdDocument {
  readonly field: string;
  /** The threshold that was crossed. */
  readonly value: number;
  /** What was measured. */
  readonly observed: number;
}

/** `{{ http… }}`: the request that fired an `http` trigger. */
export interface HttpDocument {
  readonly name: string;
  readonly requestId: string;
  readonly body: unknown;
}

/**
 * Everything a template can print. Documents that the trigger does not provide are missing; a template that uses one is refused at load.
 */
export interface TemplateContext {
  readonly rule: TemplateRule;
  readonly firing: FiringDocument;
  readonly channel?: ChannelDocument;
  readonly stream?: StreamDocument;
  readonly session?: SessionDocument;
  /** The envelope, unchanged. */
  readonly event?: object;
  readonly aggregate?: AggregateDocument;
  readonly threshold?: ThresholdDocument;
  readonly http?: HttpDocument;
}
