// Where the page's status comes from.
import type { OldPictureOf } from '#domain/picture.ts';
import type { Replica } from '#domain/replica.ts';
import type { Ruleset } from '#domain/rule.ts';
import type { SharedState, StateView } from '#domain/shared-state.ts';
import type { QuotaHour } from '#ivs/quota-hour.ts';
import type { AccountLine } from '../account-lines.ts';
import type { Alert } from '../alert.ts';
import type { AlertSources } from '../alert-sources.ts';
import type { ActivityLine, BatchLine, QueueLine, QuotaStatus } from './status.ts';

/** Where the status comes from. A missing part is not shown, except trust, which is then unknown. */
export interface LiveSources {
  readonly state: SharedState;
  readonly ruleset: () => Ruleset;
  /** Whether this is a standby that was not activated. Default: it is no standby. */
  readonly standsBy?: () => boolean;
  /** Default: the alerts of the state and the configuration. */
  readonly alerts?: AlertSources;
  /** Alerts of accounts that other processes carry. */
  readonly alertsElsewhere?: () => Promise<readonly Alert[] | undefined>;
  readonly config: () => { readonly hash: string; readonly loadedAtMs: number; readonly error?: string | undefined };
  /** One for each account, if there are several: the shown age of a source is the greatest among them. */
  readonly views?: readonly StateView[];
  /** Without a complete poll or a read of the queue for this long, data is stale. */
  readonly silentAfterMs: () => { readonly poll: number; readonly events: number };
  readonly events?: () => {
    readonly waiting?: number | undefined;
    readonly deadLetters?: number | undefined;
    /** False: the queue has no redrive policy, so it never gives up on a message. */
    readonly redrives?: boolean | undefined;
  };
  /** How long Redis takes for an answer; infinite: there was none. */
  readonly redisLatencyMs?: () => Promise<number | undefined> | number | undefined;
  /** Set while Redis cannot be used. Default: it can. */
  readonly picture?: () => OldPictureOf | undefined;
  readonly quota?: () => QuotaStatus | Promise<QuotaStatus>;
  readonly quotaHour?: () => Promise<QuotaHour | undefined>;
  readonly queues?: () => Promise<readonly QueueLine[] | undefined>;
  readonly batches?: () => readonly BatchLine[] | Promise<readonly BatchLine[] | undefined>;
  /** The replicas that are alive; undefined: not known. */
  readonly replicas?: () => readonly Replica[] | undefined;
  /** The accounts of the configuration, with who carries each. */
  readonly accounts?: () => readonly AccountLine[];
  /** Newest decisions that acted, or that a person should see. */
  readonly activity?: () => readonly ActivityLine[] | Promise<readonly ActivityLine[]>;
}
