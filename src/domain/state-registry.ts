// Everything in the shared state: its keys, its logs, and the types of their values. The key texts are a contract with the Redis of every
// earlier version: test/integration/earlier-state.test.ts reads one that an earlier version wrote.

import type {
  AdBreakRequest,
  Bulk,
  BulkCheck,
  BulkItem,
  ChannelLease,
  DeliveredFile,
  Intent,
  IntentKind,
  KeyRecord,
  Lease,
  NotifyProgress,
  PlaybackKeyRecord,
  PolicyEdit,
  Retiring,
  SettingRequest,
} from './action-memory.ts';
import type {
  Acknowledgement,
  DeliveryFailedAlert,
  Escalated,
  FailedJobAlert,
  KeyAlert,
  ReplicasDifferAlert,
  RuleAlert,
  SeenAlert,
  StateLossAlert,
} from './alert.ts';
import type { Approval } from './approval.ts';
import type { Channel, ChannelArn } from './channel.ts';
import type { Activation, Gone, Hold, Pause, Silence } from './control.ts';
import type { DecisionBundle, Incident, ItemTally, JobResult, JobResults, JournalEntry } from './decision.ts';
import type { JobRequest } from './job.ts';
import type { LineageNote } from './lineage.ts';
import type {
  AuditEntry,
  CapturedSession,
  DeliveryEntry,
  FleetSampleEntry,
  QuotaSample,
  SampleEntry,
  UnknownEvent,
} from './log-entries.ts';
import type { AlertGroup, GroupedAlert } from './notification.ts';
import type { DataSource, SweepScope } from './observation.ts';
import type {
  KeptEnds,
  KnownRules,
  LastWord,
  Polled,
  Population,
  RuleMemory,
  ScheduleState,
  Timer,
  Unseen,
  WithheldMoment,
} from './rule-memory.ts';
import { type Index, type Key, type Kind, key, kind, log, pairId, pairKind } from './state-key.ts';
import type {
  ArchivedSessions,
  Gap,
  KeptDisagreements,
  KeyAuditNote,
  KnownKey,
  LookBack,
  PastSessions,
  QueueNote,
  SweepNote,
} from './stream-memory.ts';
import type { StreamRecord } from './stream-record.ts';

/** An alert by its kind. */
interface Alerts {
  readonly keyless: KeyAlert;
  readonly undelivered: KeyAlert;
  readonly failed_job: FailedJobAlert;
  readonly delivery_failed: DeliveryFailedAlert;
  readonly cap: RuleAlert;
  readonly rate: RuleAlert;
  readonly state_lost: StateLossAlert;
  readonly replicas_differ: ReplicasDifferAlert;
}
export type StoredAlert = Alerts[keyof Alerts];

/** Controls that an operator, or the daemon itself, puts in force and ends. */
export type PlacedControl = Hold | Pause | Silence | RuleAlert | Activation;

interface AlertKind extends Kind<StoredAlert> {
  of(id: string): Key<StoredAlert>;
  of<K extends keyof Alerts>(alert: K, about: string): Key<Alerts[K]>;
}

/** Entries that exist once for each id. */
export const kinds = {
  /** The newest session of a channel. */
  stream: kind<StreamRecord, ChannelArn>('stream'),
  /** Earlier sessions of a channel that late events may still amend. */
  past: kind<PastSessions, ChannelArn>('past'),
  /** By channel: those that no longer fitted among the earlier sessions. */
  rested: kind<ArchivedSessions, ChannelArn>('rested'),
  channel: kind<Channel, ChannelArn>('channel'),
  /** Results of the audit of stream keys. */
  streamKey: kind<KnownKey, ChannelArn>('stream-key'),
  /** By the source that is silent. */
  gap: kind<Gap, DataSource>('gap'),

  /** By rule and subject. */
  ruleMemory: pairKind<RuleMemory>('fact'),
  /** By rule, subject and cause. */
  moment: kind<WithheldMoment>('moment'),
  timer: kind<Timer>('timer'),
  /** By subject: the rules with moments that wait or fire for it. */
  watch: kind<readonly string[]>('watch'),
  /** When a rule last fired for a group. */
  cooldown: pairKind<number>('cooldown'),
  /** When a rule fired in the last hour. */
  rate: kind<readonly number[]>('rate'),
  schedule: kind<ScheduleState>('schedule'),
  /** By rule and channel. */
  last: pairKind<LastWord>('last'),
  incident: kind<Incident>('incident'),
  /** By open incident: each action that was held back because of it. */
  withheld: pairKind<true>('withheld'),
  /** By rule: the results of the metadata items that it sent. */
  items: kind<ItemTally>('items'),
  /** By kind, and by what it is about. */
  alert: {
    name: 'alert',
    of: (alert: string, about?: string) => `alert/${pairId(alert, about)}` as Key<never>,
  } as AlertKind,
  /** By the id of an alert as in the API. */
  acknowledged: kind<Acknowledgement>('acknowledged'),
  /** The same: a record that the alert exists, and for a day that it has ended. */
  seenAlert: kind<SeenAlert>('seen-alert'),
  /** The same: when it was escalated, because nobody had acknowledged it or because it was about to end. */
  escalated: kind<Escalated>('escalated'),

  /** Actions that wait for approval, and for a while those that did. */
  approval: kind<Approval>('approval'),

  hold: kind<Hold, ChannelArn>('hold'),
  silence: kind<Silence>('silence'),
  pause: kind<Pause>('pause'),
  /** By the key of a control that somebody ended. */
  gone: kind<Gone, Key<PlacedControl>>('gone'),

  /** Jobs on their way to the queue. */
  job: kind<JobRequest>('job'),
  /** By kind of action and channel. */
  intent: pairKind<Intent, IntentKind>('intent'),
  bulk: kind<Bulk>('bulk'),
  /** By bulk action and channel. */
  bulkItem: pairKind<BulkItem>('bulk-item'),
  /** The same. */
  bulkCheck: pairKind<BulkCheck>('bulk-check'),
  /** By channel, or by another resource that one job works on at a time. */
  lease: kind<Lease>('lease'),
  key: kind<KeyRecord, ChannelArn>('key'),
  adBreak: kind<AdBreakRequest, ChannelArn>('ad-break'),
  recording: kind<SettingRequest, ChannelArn>('recording'),
  adConfiguration: kind<SettingRequest, ChannelArn>('ad-configuration'),
  channelLease: kind<ChannelLease, ChannelArn>('channel-lease'),
  playbackRestriction: kind<SettingRequest, ChannelArn>('playback-restriction'),
  /** By policy: when a change of its lists was last requested. */
  policyEdit: kind<PolicyEdit>('policy-edit'),
  playbackKey: kind<PlaybackKeyRecord>('playback-key'),
  /** By configuration and time of the decision. */
  retiring: kind<Retiring>('retiring'),
  /** By job. */
  notified: kind<NotifyProgress>('notified'),
  /** Groups of alerts that are reported together, by receiver, route and labels. */
  alertGroup: kind<AlertGroup>('alert-group'),
  /** By group and fingerprint of the alert. */
  groupAlert: pairKind<GroupedAlert>('group-alert'),
  /** By receiver with a limit: when messages were sent to it in the last hour. */
  sent: kind<readonly number[]>('sent'),
  /** By path without links. */
  delivered: kind<DeliveredFile>('delivered'),
} as const;

/** What every commit looks up while thousands of channels are in trouble at once. */
export const indexes = {
  /**
   * What rules remember: under `open` what waits to act or is held back, under `firing|<rule>` and `acted|<rule>` what a rule fires for,
   * and what it acted on.
   */
  memories: {
    of: kinds.ruleMemory,
    under: ({ rule, pending, firing, acted }) => [
      ...(pending || (firing && !firing.acted) ? ['open'] : []),
      ...(firing ? [pairId('firing', rule)] : []),
      ...(acted.length > 0 ? [pairId('acted', rule)] : []),
    ],
  } satisfies Index<RuleMemory>,
};

/** Single entries. */
export const notes = {
  /** The last complete poll of all streams. */
  warm: key<Polled>('meta/warm'),
  unseen: key<Unseen>('meta/unseen'),
  /** When what guards hold back is evaluated again. */
  recheck: key<{ readonly dueMs: number }>('meta/recheck'),
  /** When a stream next reaches an age, or the end of an ad break, that a rule waits for; and up to when this was searched. */
  turn: key<{ readonly dueMs: number; readonly lookedMs: number }>('meta/turn'),
  housekeeping: key<{ readonly dueMs: number }>('meta/housekeeping'),
  ruleset: key<KnownRules>('meta/ruleset'),
  /** How the rules end under which the state was decided: what is done for a rule that is removed while it fires. */
  onResolve: key<KeptEnds>('meta/on-resolve'),
  population: key<Population>('meta/population'),
  /** The id of a rule's open incident. */
  openIncident: (rule: string) => key<string>(`meta/incident:${rule}`),
  /** The newest complete sweeps. */
  sweep: (scope: SweepScope) => key<SweepNote>(scope === 'all' ? 'meta/pass-all' : 'meta/pass-starving'),
  /** The newest read of the event queue. */
  queueRead: key<QueueNote>('meta/queue-read'),
  /** When a check for gaps first ran, for sources that never gave data. */
  watchedSince: key<number>('meta/gaps-watched-since'),
  disagreements: key<Partial<KeptDisagreements>>('meta/disagreements'),
  missingChannels: key<Readonly<Record<string, true>>>('meta/missing-channels'),
  lookBack: key<LookBack>('meta/look-back'),
  keyAudit: key<KeyAuditNote>('meta/key-audit'),
  /** When a stream key next reaches an age that a rule waits for; during the search, how far it got, and the next time found so far. */
  keyAge: key<{ readonly dueMs: number; readonly after?: string; readonly nextMs?: number }>('meta/key-age'),
  /** Set once all channels have been listed for the first time. */
  inventoryListed: key<{ readonly atMs: number }>('meta/inventory-listed'),
  lineage: key<LineageNote>('meta/lineage'),
  /** Of a deployment that runs as a standby; undefined: it was not activated. */
  activation: key<Activation>('meta/activation'),
  /** When the next shift summary is due, at these times of the day; `fromMs`: the beginning of the period that it covers. */
  shiftSummary: key<{ readonly times: string; readonly fromMs: number; readonly dueMs: number }>('meta/shift-summary'),
  /** When the last heartbeat was sent. */
  heartbeat: key<number>('meta/heartbeat'),
  /** Written if nothing else is. After a loss, the missing commits show how far an older state has gone back. */
  pulse: key<number>('meta/pulse'),
} as const;

export const stateLossAlertKey = kinds.alert.of('state_lost', 'state');

export const pauses = {
  /** Requested by a person. */
  asked: kinds.pause.of('global'),
  /** After a loss of the state. */
  afterLoss: kinds.pause.of('state_lost'),
} as const;

/** Either one holds everything back; the first is shown. */
export const pauseKeys = [pauses.afterLoss, pauses.asked] as const;

/** Append-only logs. */
export const logs = {
  /** Decisions that acted, were held back or resolved. */
  journal: log<JournalEntry>('journal'),
  /** The same, with many of one moment in one entry. */
  bundles: log<DecisionBundle>('journal-bundles'),
  /** The other decisions. */
  quiet: log<JournalEntry>('journal-quiet'),
  results: log<JobResult | JobResults>('journal-results'),
  audit: log<AuditEntry>('audit'),
  /** Past sessions, by the channel's id. */
  sessions: (channelId: string) => log<StreamRecord>(`sessions:${channelId}`),
  /** Samples of one session, by its channel's id and its own. */
  samples: (channelId: string, streamId: string) => log<SampleEntry>(`samples:${channelId}:${streamId}`),
  fleetSamples: log<FleetSampleEntry>('samples-fleet'),
  unknownEvents: log<UnknownEvent>('events-unknown'),
  /** Messages to webhooks. */
  deliveries: log<DeliveryEntry>('deliveries'),
  captures: log<CapturedSession>('captures'),
  quotaHour: log<QuotaSample>('quota-hour'),
} as const;

/** Whether a key belongs to a pause, hold, silence or activation, or to the record that one was ended. */
export function isControl(key: string): boolean {
  return key === notes.activation || pauseKeys.some((pause) => pause === key) || /^(?:hold|silence|gone)\//.test(key);
}
