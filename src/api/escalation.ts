// Notifies a receiver about what needs a person and has nobody: alerts that were not acknowledged in time, and silences and holds that are
// about to end. Each notification is sent once for the fleet: the shared state records it in the commit that enqueues the message.
import type { ActionJob } from '#domain/action.ts';
import { durationMs, iso, spanText } from '#domain/duration.ts';
import { pageOfNeed } from '#domain/notification.ts';
import type { SharedState, StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import type { Clock } from '#runtime/clock.ts';
import { loggedEpisode } from '#runtime/episode.ts';
import type { Logger } from '#runtime/logger.ts';
import { Loop } from '#runtime/loop.ts';
import { type Alert, isAboutAllOf } from './alert.ts';
import type { AlertShard, AlertSources } from './alert-sources.ts';
import { inAlertOrder, openAlerts, shardOf } from './alerts.ts';
import type { AlertsElsewhere } from './alerts-elsewhere.ts';

/** `alerts` of the configuration in force. */
export interface EscalationSettings {
  readonly escalate?:
    | { readonly after: string; readonly receiver: string; readonly severity: 'critical' | 'warning' }
    | undefined;
  readonly endings?: { readonly receiver: string } | undefined;
}

interface EscalationShard extends AlertShard {
  readonly state: SharedState;
  readonly relay: { nudge(): void };
}

export interface EscalationOptions {
  readonly shards: readonly EscalationShard[];
  readonly isOne?: AlertSources['isOne'];
  readonly carried?: AlertSources['carried'];
  readonly outages?: AlertSources['outages'];
  /** Accounts that others carry. Their carriers escalate for them; this process does so only for an account that nobody carries. */
  readonly elsewhere?: Pick<AlertsElsewhere, 'missing' | 'open'> | undefined;
  readonly config: AlertSources['config'];
  readonly settings: () => EscalationSettings;
  /** `http.external_url`. */
  readonly externalUrl: string | undefined;
  /** A standby notifies nobody. Default: it is no standby. */
  readonly standsBy?: () => boolean;
}

/** At most this many alerts are escalated at once; the next runs take the rest. */
const mostAtOnce = 20;

/** The loop that escalates. */
export function escalations(
  options: EscalationOptions & {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly random: () => number;
  },
): Loop {
  const { clock, logger, random } = options;
  const everyMs = 5_000;
  return new Loop({
    name: 'escalations',
    run: async () => void (await escalate(options)),
    everyMs,
    retry: { baseMs: everyMs, maxMs: 30_000 },
    episode: loggedEpisode({
      clock,
      logger,
      level: 'error',
      began: 'alerts that nobody acknowledged cannot be escalated; trying again',
      ended: 'alerts are escalated again',
    }),
    clock,
    random,
  });
}

/**
 * Escalates once what is due. Returns the ids of the alerts for which a message was enqueued. A Redis that is away does not stop the
 * alerts on other servers.
 * @throws what a write throws, after everything due has been tried
 */
export async function escalate({
  settings,
  externalUrl,
  elsewhere,
  standsBy,
  ...sources
}: EscalationOptions): Promise<string[]> {
  const { escalate: rule, endings } = settings();
  if ((!rule && !endings) || standsBy?.()) return [];
  const { shards } = sources;
  // Its carriers know whether somebody has acknowledged its alerts.
  const missing = new Set(elsewhere?.missing);
  const uncarried = missing.size === 0 ? [] : (await elsewhere!.open({ only: (name) => missing.has(name) })).alerts;
  const all = inAlertOrder([...openAlerts(sources), ...uncarried.filter(({ kind }) => kind === 'not_carried')]);
  const nowMs = shards[0]?.state.nowMs() ?? 0;
  const due = all.flatMap((alert) => {
    const waitsMs = nowMs - openFrom(alert, shardOf(shards, alert.id));
    const told = messageOf(alert, { rule, endings, nowMs, waitsMs });
    return told ? [{ alert, ...told }] : [];
  });
  const told: string[] = [];
  const failures = new Map<EscalationShard, unknown>();
  for (const { alert, receiver, text } of due) {
    if (told.length >= mostAtOnce) break;
    const shard = shardOf(shards, alert.id)!;
    if (failures.has(shard)) continue;
    const key = kinds.escalated.of(alert.id);
    // For alerts that each replica sees by itself (dead letters, a bad configuration), each replica has its own beginning.
    const isTold = (view: StateView) => isAboutAllOf(view.get(key)?.atMs ?? Number.NEGATIVE_INFINITY, alert);
    if (isTold(shard.state.view)) continue;
    const writing = shard.state.transact((tx) => {
      if (isTold(tx)) return true;
      // Somebody has acknowledged it in the meantime.
      const { atMs: takenMs = 0 } = tx.get(kinds.acknowledged.of(alert.id)) ?? {};
      if (!isEnding(alert) && isAboutAllOf(takenMs, alert)) return true;
      tx.set(key, { atMs: tx.nowMs });
      const job: ActionJob = {
        action: 'notify',
        params: { receiver, text: `${text}\n${linkOf(alert, externalUrl)}`.slice(0, 4_000) },
        alert: {
          fingerprint: alert.id,
          labels: { alertname: alert.title, severity: alert.severity, ...(alert.rule ? { rule: alert.rule } : {}) },
          startsAtMs: alert.since,
          // For alerts that each replica sees by itself, the replica that gets the answer may have another beginning.
          needs: { kind: 'alert', id: alert.id, sinceMs: tx.nowMs },
        },
        cause: { kind: 'operator', who: 'ivs-autopilot', reason: `alert ${alert.id}` },
        decidedAtMs: tx.nowMs,
        isNotice: true,
      };
      tx.enqueue({
        jobId: jobIdOf('notify', alert.id, String(alert.newest ?? alert.since)),
        name: 'notify',
        payload: { ...job },
      });
      return false;
    });
    const wasTold = await writing.catch((error: unknown) => {
      failures.set(shard, error);
      return true;
    });
    if (wasTold) continue;
    told.push(alert.id);
    shard.relay.nudge();
  }
  for (const error of failures.values()) throw error;
  return told;
}

function messageOf(
  { kind, severity, title, cause, since, end, acknowledged }: Alert,
  {
    rule,
    endings,
    nowMs,
    waitsMs,
  }: {
    rule: EscalationSettings['escalate'];
    endings: EscalationSettings['endings'];
    nowMs: number;
    /** How long nobody has had it, or since it was last escalated. */
    waitsMs: number;
  },
): { readonly receiver: string; readonly text: string } | undefined {
  if (isEnding({ kind }))
    return endings && end !== undefined
      ? { receiver: endings.receiver, text: `${title} at ${iso(end)}: ${cause}` }
      : undefined;
  if (!rule || acknowledged || (rule.severity === 'critical' && severity !== 'critical')) return undefined;
  if (waitsMs < durationMs(rule.after)) return undefined;
  return { receiver: rule.receiver, text: `Not acknowledged for ${spanText(nowMs - since)}: ${title}: ${cause}` };
}

/** Since when nobody has had the alert: its beginning, or the last acknowledgement or escalation for what joined it afterwards. */
function openFrom({ id, since }: Alert, shard: EscalationShard | undefined): number {
  const takenMs = shard?.state.view.get(kinds.acknowledged.of(id))?.atMs ?? since;
  const toldMs = shard?.state.view.get(kinds.escalated.of(id))?.atMs ?? since;
  return Math.max(since, takenMs, toldMs);
}

/** Whether the alert announces something that ends by itself: such an alert is escalated even if somebody has it. */
function isEnding({ kind }: Pick<Alert, 'kind'>): boolean {
  return kind === 'silence_ending' || kind === 'hold_ending';
}

function linkOf({ id }: Alert, externalUrl: string | undefined): string {
  return externalUrl === undefined
    ? `ivs-autopilot alert acknowledge ${id}`
    : pageOfNeed({ kind: 'alert', id }, externalUrl);
}
