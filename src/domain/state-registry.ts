// Everything that the shared state holds: its keys, its logs, and the type of what lies there. The texts are a contract with the Redis
// of every version before: test/integration/earlier-state.test.ts reads one that an earlier version wrote.

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

/** What an operator, or the daemon itself, puts in force and takes back. */
export type PlacedControl = Hold | Pause | Silence | RuleAlert | Activation;

interface AlertKind extends Kind<StoredAlert> {
  of(id: string): Key<StoredAlert>;
  of<K extends keyof Alerts>(alert: K, about: string): Key<Alerts[K]>;
}

/** What is kept once for each id. */
export const kinds = {
  /** The newest session of a channel. */
  stream: kind<StreamRecord, ChannelArn>('stream'),
  /** Earlier sessions of a channel that late events may still amend. */
  past: kind<PastSessions, ChannelArn>('past'),
  /** Of a channel, those that had no room among the earlier sessions. */
  rested: kind<ArchivedSessions, ChannelArn>('rested'),
  channel: kind<Channel, ChannelArn>('channel'),
  /** Of the audit of stream keys. */
  streamKey: kind<KnownKey, ChannelArn>('stream-key'),
  /** By the source that is silent. */
  gap: kind<Gap, DataSource>('gap'),

  /** Of a rule and a subject. */
  ruleMemory: pairKind<RuleMemory>('fact'),
  /** By rule, subject and cause. */
  moment: kind<WithheldMoment>('moment'),
  timer: kind<Timer>('timer'),
  /** By subject: the rules of moments that wait or fire for it. */
  watch: kind<readonly string[]>('watch'),
  /** When a rule last fired for a group. */
  cooldown: pairKind<number>('cooldown'),
  /** When a rule fired in the last hour. */
  rate: kind<readonly number[]>('rate'),
  schedule: kind<ScheduleState>('schedule'),
  /** Of a rule and a channel. */
  last: pairKind<LastWord>('last'),
  incident: kind<Incident>('incident'),
  /** Of an incident that is open: each action that was held back because of it. */
  withheld: pairKind<true>('withheld'),
  /** By rule: how the metadata items that it sent have ended. */
  items: kind<ItemTally>('items'),
  /** By kind, and by what it is about. */
  alert: {
    name: 'alert',
    of: (alert: string, about?: string) => `alert/${pairId(alert, about)}` as Key<never>,
  } as AlertKind,
  /** By the id of an alert as the API shows it. */
  acknowledged: kind<Acknowledgement>('acknowledged'),
  /** The same: that it was there, and for a day that it is over. */
  seenAlert: kind<SeenAlert>('seen-alert'),
  /** The same: when it was told of because nobody had it, or because it is about to end. */
  escalated: kind<Escalated>('escalated'),

  /** Actions that wait for a person's yes, and for a time those that did. */
  approval: kind<Approval>('approval'),

  hold: kind<Hold, ChannelArn>('hold'),
  silence: kind<Silence>('silence'),
  pause: kind<Pause>('pause'),
  /** By the key of a control that somebody took back. */
  gone: kind<Gone, Key<PlacedControl>>('gone'),

  /** Jobs on their way to the queue. */
  job: kind<JobRequest>('job'),
  /** Of a kind of action and a channel. */
  intent: pairKind<Intent, IntentKind>('intent'),
  bulk: kind<Bulk>('bulk'),
  /** Of a bulk and a channel. */
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
  /** By policy: when its lists were last asked to be changed. */
  policyEdit: kind<PolicyEdit>('policy-edit'),
  playbackKey: kind<PlaybackKeyRecord>('playback-key'),
  /** By configuration and time of the decision. */
  retiring: kind<Retiring>('retiring'),
  /** By job. */
  notified: kind<NotifyProgress>('notified'),
  /** Of alerts that are told of together, by receiver, route and labels. */
  alertGroup: kind<AlertGroup>('alert-group'),
  /** Of a group and an alert's fingerprint. */
  groupAlert: pairKind<GroupedAlert>('group-alert'),
  /** By receiver with a limit: when messages went to it in the last hour. */
  sent: kind<readonly number[]>('sent'),
  /** By path without links. */
  delivered: kind<DeliveredFile>('delivered'),
} as const;

/** What is looked for in every commit while thousands of channels are in trouble at once. */
export const indexes = {
  /**
   * What rules remember: under `open` what waits to act or is held back, under `firing|<rule>` and `acted|<rule>` what a rule fires for,
   * and what it acted for.
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

/** What is kept once. */
export const notes = {
  /** The last complete poll of all streams. */
  warm: key<Polled>('meta/warm'),
  unseen: key<Unseen>('meta/unseen'),
  /** When what guards hold back is judged again. */
  recheck: key<{ readonly dueMs: number }>('meta/recheck'),
  /** When the next stream comes to an age, or the end of an ad break, that a rule asks for; and up to when that was looked for. */
  turn: key<{ readonly dueMs: number; readonly lookedMs: number }>('meta/turn'),
  housekeeping: key<{ readonly dueMs: number }>('meta/housekeeping'),
  ruleset: key<KnownRules>('meta/ruleset'),
  population: key<Population>('meta/population'),
  /** The id of a rule's open incident. */
  openIncident: (rule: string) => key<string>(`meta/incident:${rule}`),
  /** The newest complete sweeps. */
  sweep: (scope: SweepScope) => key<SweepNote>(scope === 'all' ? 'meta/pass-all' : 'meta/pass-starving'),
  /** The newest read of the event queue. */
  queueRead: key<QueueNote>('meta/queue-read'),
  /** When somebody first looked for gaps, for sources that never gave anything. */
  watchedSince: key<number>('meta/gaps-watched-since'),
  disagreements: key<Partial<KeptDisagreements>>('meta/disagreements'),
  missingChannels: key<Readonly<Record<string, true>>>('meta/missing-channels'),
  lookBack: key<LookBack>('meta/look-back'),
  keyAudit: key<KeyAuditNote>('meta/key-audit'),
  /** When a stream key next comes to an age that a rule asks for; while they are looked at, how far, and what comes after. */
  keyAge: key<{ readonly dueMs: number; readonly after?: string; readonly nextMs?: number }>('meta/key-age'),
  /** Set once all channels have been listed for the first time. */
  inventoryListed: key<{ readonly atMs: number }>('meta/inventory-listed'),
  lineage: key<LineageNote>('meta/lineage'),
  /** Of a deployment that runs as a standby; undefined: it stands by. */
  activation: key<Activation>('meta/activation'),
  /** When the next summary of a shift is due, at these times of the day; `fromMs`: what it tells of began then. */
  shiftSummary: key<{ readonly times: string; readonly fromMs: number; readonly dueMs: number }>('meta/shift-summary'),
  /** When the last heartbeat was sent. */
  heartbeat: key<number>('meta/heartbeat'),
  /** Written where nothing else is: by the commits that an older state lacks it is told how far it went back. */
  pulse: key<number>('meta/pulse'),
} as const;

export const stateLossAlertKey = kinds.alert.of('state_lost', 'state');

export const pauses = {
  /** What a person asked for. */
  asked: kinds.pause.of('global'),
  /** After a loss of the state. */
  afterLoss: kinds.pause.of('state_lost'),
} as const;

/** Either holds everything back; the first is shown. */
export const pauseKeys = [pauses.afterLoss, pauses.asked] as const;

/** Append-only logs. */
export const logs = {
  /** Decisions that acted, were held back or resolved. */
  journal: log<JournalEntry>('journal'),
  /** The same, many of one moment in one entry. */
  bundles: log<DecisionBundle>('journal-bundles'),
  /** The other decisions. */
  quiet: log<JournalEntry>('journal-quiet'),
  results: log<JobResult | JobResults>('journal-results'),
  audit: log<AuditEntry>('audit'),
  /** Sessions that are over, by the channel's id. */
  sessions: (channelId: string) => log<StreamRecord>(`sessions:${channelId}`),
  /** Of one session, by its channel's id and its own. */
  samples: (channelId: string, streamId: string) => log<SampleEntry>(`samples:${channelId}:${streamId}`),
  fleetSamples: log<FleetSampleEntry>('samples-fleet'),
  unknownEvents: log<UnknownEvent>('events-unknown'),
  /** Messages to webhooks. */
  deliveries: log<DeliveryEntry>('deliveries'),
  captures: log<CapturedSession>('captures'),
  quotaHour: log<QuotaSample>('quota-hour'),
} as const;

/** Whether a key holds a pause, hold, silence or activation, or that one was taken back. */
export function isControl(key: string): boolean {
  return key === notes.activation || pauseKeys.some((pause) => pause === key) || /^(?:hold|silence|gone)\//.test(key);
}
