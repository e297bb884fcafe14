// Where alerts come from, one function for each source: the shared state, incidents, missing data, silences and holds that are about to
// end, approvals, dead letters, Redis servers, and accounts that nobody carries.
import type { DeliveryFailedAlert, FailedJobAlert, RuleAlert } from '#domain/alert.ts';
import type { Approval } from '#domain/approval.ts';
import { type Carried, missingText } from '#domain/carrier.ts';
import type { ChannelArn } from '#domain/channel.ts';
import type { Silence } from '#domain/control.ts';
import { holdsInForce, silencesInForce } from '#domain/controls-in-force.ts';
import type { Incident } from '#domain/decision.ts';
import type { DataSource } from '#domain/observation.ts';
import { personText } from '#domain/person.ts';
import type { SharedState, StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { approvalAlertId, deedOf, waitingApprovals } from '#rules/approvals.ts';
import { nameOf } from '#streams/queries.ts';
import { type Alert, alertOf, isAlertKind } from './alert.ts';

/** What alerts need to know about one account. */
export interface AlertShard {
  readonly name: string;
  readonly state: Pick<SharedState, 'view' | 'nowMs'>;
  /** Since when a source has given no data; undefined while it gives data. */
  readonly silentSinceMs?: ((source: DataSource) => number | undefined) | undefined;
  readonly deadLetters?: (() => { readonly count: number; readonly sinceMs: number } | undefined) | undefined;
}

export interface AlertSources {
  readonly shards: readonly AlertShard[];
  /** Whether the configuration has only one account; default: whether there is one shard here. */
  readonly isOne?: boolean | undefined;
  /** Who carries which accounts, if there are several. */
  readonly carried?: (() => readonly Carried[]) | undefined;
  /** The Redis servers that cannot be used. */
  readonly outages?: (() => readonly RedisOutageOf[]) | undefined;
  readonly config: () => {
    readonly loadedAtMs: number;
    readonly triedAtMs?: number;
    readonly error?: string | undefined;
  };
}

/** A Redis that cannot be used, so that its accounts stand still. */
export interface RedisOutageOf {
  /** `REDIS_URL`, or `accounts[2].redis_url_file`. */
  readonly setting: string;
  /** Without user and password. */
  readonly address: string;
  readonly kind: 'away' | 'refuses';
  readonly sinceMs: number;
  readonly accounts: readonly string[];
  /** Whether this process uses no other server. */
  readonly isOnly: boolean;
}

const soonMs = 10 * 60_000;
/** Only if less than this share of its duration is left, so that a short one is not announced as soon as it is made. */
const soonShare = 0.2;

/** The alerts of one account, with ids that do not name it yet. */
export function alertsOf(shard: AlertShard, isOne: boolean): Alert[] {
  return [
    ...stored(shard),
    ...incidents(shard, 'open'),
    ...silent(shard),
    ...endingSilences(shard),
    ...endingHolds(shard),
    ...awaited(shard, isOne),
    ...letters(shard),
  ];
}

/** Alerts that are stored in the shared state. */
function* stored({ state: { view } }: AlertShard): Iterable<Alert> {
  for (const [id, alert] of view.entries(kinds.alert)) {
    if (!isAlertKind(alert.kind)) continue;
    const named = { id: `alert:${id}`, cause: withNames(view, alert.text), since: alert.sinceMs };
    if (alert.kind === 'failed_job' || alert.kind === 'delivery_failed')
      yield alertOf(alert.kind, { ...named, ...ofDismissible(alert), dismissible: true });
    else if ('channelArn' in alert)
      yield alertOf(alert.kind, { ...named, channelArn: alert.channelArn, link: streamLink(alert.channelArn) });
    else if ('rule' in alert)
      yield alertOf(alert.kind, { ...named, ...ofRule(alert), rule: alert.rule, link: decisionsLink(alert.rule) });
    else yield alertOf(alert.kind, { ...named, link: `#/runbook/${alert.kind.replaceAll('_', '-')}` });
  }
}

/** Channels by name, if the name is known. */
function withNames(view: StateView, text: string): string {
  return text.replaceAll(/arn:[\w-]+:ivs:[\w-]+:\d+:channel\/\w+/g, (arn) => nameOf(view, arn as ChannelArn) || arn);
}

const dryRunTitles = {
  cap: 'Rule in dry run would be stopped by its cap',
  rate: 'Rule in dry run would have reached its hourly limit',
} as const satisfies Record<RuleAlert['kind'], string>;

function ofRule({ kind, dryRun }: RuleAlert): Pick<Alert, 'dryRun'> & { readonly title?: string } {
  return dryRun ? { title: dryRunTitles[kind], dryRun } : {};
}

function ofDismissible(alert: FailedJobAlert | DeliveryFailedAlert): {
  title?: string;
  link: string;
  channelArn?: string;
} {
  if (alert.kind === 'delivery_failed') {
    const [arn] = alert.channelArns;
    return alert.count === 1 && arn !== undefined
      ? { link: streamLink(arn), channelArn: arn }
      : { link: '#/runbook/metadata-is-refused' };
  }
  const [newest] = alert.jobs;
  const title = alert.count === 1 ? 'Failed job' : `${alert.count} failed jobs`;
  if (alert.count === 1 && newest)
    return {
      title,
      link: `#/job/${encodeURIComponent(newest.jobId)}`,
      ...(newest.channelArn === undefined ? {} : { channelArn: newest.channelArn }),
    };
  return { title, link: `#/audit?what=${encodeURIComponent(alert.action)}` };
}

export function incidents({ state: { view } }: AlertShard, which: 'open' | 'over'): Alert[] {
  return (
    Array.from(view.entries(kinds.incident), ([, incident]) => incident)
      .filter(({ closedAtMs }) => (closedAtMs === undefined) === (which === 'open'))
      // The incident of a cap is already shown as the alert of that cap.
      .filter(({ kind }) => kind !== 'cap')
      .map((incident) =>
        alertOf('incident', {
          id: `incident:${incident.id}`,
          title:
            incident.closedAtMs === undefined
              ? `Incident: ${incident.affected} of ${incident.live} channels`
              : `Incident: ${incident.peak} channels at most`,
          cause: `${incident.text}${withheldText(incident)}`,
          link: `#/incident/${encodeURIComponent(incident.id)}`,
          since: incident.openedAtMs,
          ...(incident.closedAtMs === undefined ? {} : { end: incident.closedAtMs }),
          rule: incident.rule,
        }),
      )
  );
}

function withheldText({ withheld }: Incident): string {
  if (withheld === 0) return '';
  return withheld === 1 ? '. 1 action was held back' : `. ${withheld} actions were held back`;
}

const gapTexts = {
  poll: 'No sweep of the live streams has completed',
  events: 'The event queue could not be read',
} as const;

function silent({ silentSinceMs }: AlertShard): Alert[] {
  return (['poll', 'events'] as const).flatMap((source) => {
    const since = silentSinceMs?.(source);
    if (since === undefined) return [];
    const cause = `${gapTexts[source]} since ${new Date(since).toISOString()}: timers stand still, and no rule acts on missing data.`;
    return [alertOf('data_gap', { id: `data_gap:${source}`, cause, link: '#/runbook/data-gap', since })];
  });
}

export function redisAlert({ setting, address, kind, sinceMs, accounts, isOnly }: RedisOutageOf): Alert {
  const says = kind === 'away' ? 'does not answer' : 'answers and refuses';
  const means = isOnly
    ? 'nothing is decided, sent or stored until it works again.'
    : `${accounts.join(', ')} ${accounts.length === 1 ? 'stands' : 'stand'} still. Accounts on other servers continue.`;
  return alertOf('redis', {
    id: `redis:${address}`,
    cause: `The Redis at ${address} (${setting}) ${says}: ${means}`,
    link: kind === 'away' ? '#/runbook/redis-does-not-answer' : '#/runbook/redis-refuses',
    since: sinceMs,
  });
}

/** Processes that carry other accounts show this alert, because this account has no process that could. */
export function notCarried(each: Carried): Alert[] {
  const cause = missingText(each);
  if (cause === undefined) return [];
  const since = Math.min(...each.missing.map(({ sinceMs }) => sinceMs));
  return [
    alertOf('not_carried', {
      id: `${each.account}:not_carried`,
      cause,
      link: '#/runbook/nobody-carries-an-account',
      since,
    }),
  ];
}

function endingSilences({ state }: AlertShard): Alert[] {
  const nowMs = state.nowMs();
  return silencesInForce(state.view, nowMs)
    .filter(([, silence]) => isAboutToEnd(silence, nowMs))
    .map(([id, { reason, author, matchers, startsMs, endsMs }]) =>
      alertOf('silence_ending', {
        id: `silence:${id}`,
        cause: `${matchers.join(', ')}: ${reason} (${personText(author)})`,
        link: '#/decisions?reason=silenced',
        since: startsMs,
        end: endsMs,
      }),
    );
}

/** Actions that wait for a person's approval. Those that a rule asks for at the same moment are one alert. */
function awaited({ name, state: { view } }: AlertShard, isOne: boolean): Alert[] {
  const alike = Map.groupBy(waitingApprovals(view), approvalAlertId);
  return Array.from(alike, ([alertId, approvals]) => {
    const [first] = approvals as [Approval];
    const isAlone = approvals.length === 1;
    const id = isOne ? first.id : `${name}:${first.id}`;
    const { rule, channelArn } = first;
    return alertOf('approval', {
      id: alertId,
      title: isAlone ? `${first.action} waits for approval` : `${approvals.length} × ${first.action} wait for approval`,
      cause: isAlone ? `${deedOf(first)}: ${first.why}` : `${approvals.length} channels: ${first.why}, …`,
      link: isAlone ? `#/approval/${encodeURIComponent(id)}` : `#/approvals?rule=${encodeURIComponent(rule)}`,
      since: Math.min(...approvals.map(({ askedAtMs }) => askedAtMs)),
      newest: Math.max(...approvals.map(({ askedAtMs }) => askedAtMs)),
      end: first.untilMs,
      rule,
      ...(isAlone && channelArn !== undefined ? { channelArn } : {}),
    });
  });
}

function endingHolds({ state }: AlertShard): Alert[] {
  const nowMs = state.nowMs();
  return holdsInForce(state.view, nowMs).flatMap(([arn, { who, reason, sinceMs, untilMs }]) => {
    if (untilMs === undefined || !isAboutToEnd({ startsMs: sinceMs, endsMs: untilMs }, nowMs)) return [];
    const cause = `${nameOf(state.view, arn) || arn}: ${reason} (${personText(who)})`;
    return [
      alertOf('hold_ending', {
        id: `hold:${arn}`,
        cause,
        link: streamLink(arn),
        since: sinceMs,
        end: untilMs,
        channelArn: arn,
      }),
    ];
  });
}

function isAboutToEnd({ startsMs, endsMs }: Pick<Silence, 'startsMs' | 'endsMs'>, nowMs: number): boolean {
  return endsMs - nowMs < Math.min(soonMs, (endsMs - startsMs) * soonShare);
}

function letters({ deadLetters }: AlertShard): Alert[] {
  const { count = 0, sinceMs = 0 } = deadLetters?.() ?? {};
  if (count === 0) return [];
  return [
    alertOf('dead_letters', {
      id: 'dead_letters',
      title: `${count} dead letter${count === 1 ? '' : 's'}`,
      cause: 'Events that could not be read or delivered wait in the dead-letter queue.',
      link: '#/runbook/dead-letters',
      since: sinceMs,
    }),
  ];
}

function streamLink(arn: string): string {
  return `#/stream/${encodeURIComponent(arn)}`;
}

function decisionsLink(rule: string): string {
  return `#/decisions?rule=${encodeURIComponent(rule)}`;
}
