// Incidents: many channels in trouble together, as one thing with a beginning and an end; also the alerts of rules that a cap stopped.

import type { ActionJob, ActionParams } from '#domain/action.ts';
import type { RuleAlert } from '#domain/alert.ts';
import type { GuardVerdict, Incident } from '#domain/decision.ts';
import type { AggregateDocument } from '#domain/documents.ts';
import type { Rule } from '#domain/rule.ts';
import type { StateView, Transaction } from '#domain/shared-state.ts';
import { kinds, notes } from '#domain/state-registry.ts';
import { capText } from './cap-text.ts';
import type { Evaluation } from './evaluation.ts';
import { hashOf } from './hash-of.ts';
import { labelsOf } from './label-matcher.ts';
import { placeControl, removeControl } from './memory.ts';

/** Closed ones; older ones are deleted. */
export const keptIncidents = 200;

/** The newest incidents first, the open ones before the closed. */
export function listIncidents(view: StateView): Incident[] {
  return Array.from(view.entries(kinds.incident), ([, incident]) => incident).sort(
    (a, b) => Number(a.closedAtMs !== undefined) - Number(b.closedAtMs !== undefined) || b.openedAtMs - a.openedAtMs,
  );
}

/** Opens an incident of a rule, unless one is open. */
export function openIncident(
  tx: Transaction,
  kind: Incident['kind'],
  rule: string,
  { affected, live, text }: Pick<Incident, 'affected' | 'live' | 'text'>,
): void {
  if (openIncidentOf(tx, rule)) return;
  const id = `i-${hashOf('incident', rule, tx.nowMs)}`;
  const incident: Incident = {
    id,
    kind,
    rule,
    openedAtMs: tx.nowMs,
    affected,
    peak: affected,
    live,
    withheld: 0,
    text,
  };
  tx.set(kinds.incident.of(id), incident);
  tx.set(notes.openIncident(rule), id);
}

export function openIncidentOf(view: StateView, rule: string): Incident | undefined {
  const id = view.get(notes.openIncident(rule));
  return id === undefined ? undefined : view.get(kinds.incident.of(id));
}

/** The incident that a rule's message is about: the open one, or the one that has just ended. */
export function incidentToldOf(view: StateView, rule: string, nowMs: number): Incident | undefined {
  return (
    openIncidentOf(view, rule) ??
    listIncidents(view).find((incident) => incident.rule === rule && incident.closedAtMs === nowMs)
  );
}

/** Updates the numbers of an open incident. */
export function updateIncident(tx: Transaction, rule: string, { count, live }: AggregateDocument): void {
  const incident = openIncidentOf(tx, rule);
  if (!incident || (incident.affected === count && incident.live === live)) return;
  const peak = Math.max(incident.peak, count);
  const text = aggregateText(rule, count, live);
  tx.set(kinds.incident.of(incident.id), { ...incident, affected: count, live, peak, text });
}

/** How an incident of many channels is described: with the current figures while it is open. */
export function aggregateText(rule: string, count: number, live: number): string {
  return `${rule}: ${count} of ${live} channels`;
}

export function closeIncident(tx: Transaction, rule: string, atMs: number): void {
  const incident = openIncidentOf(tx, rule);
  if (!incident) return;
  tx.delete(notes.openIncident(rule));
  forgetWithheld(tx, incident.id);
  const text = incident.kind === 'aggregate' ? `${rule}: ${incident.peak} channels at most` : incident.text;
  tx.set(kinds.incident.of(incident.id), { ...incident, text, closedAtMs: atMs });
}

/**
 * Counts what was held back in this transaction because of an incident: each action of a rule on a channel once, however often it is
 * judged.
 */
export function noteWithheld(tx: Transaction, withheldBy: ReadonlyMap<string, ReadonlySet<string>>): void {
  for (const [rule, names] of withheldBy) {
    const incident = openIncidentOf(tx, rule);
    if (!incident) continue;
    let withheld = incident.withheld;
    for (const name of names) {
      const key = kinds.withheld.of(incident.id, name);
      if (tx.get(key) !== undefined) continue;
      tx.set(key, true);
      withheld += 1;
    }
    if (withheld !== incident.withheld) tx.set(kinds.incident.of(incident.id), { ...incident, withheld });
  }
}

/** The keys that were counted in an ended incident are no longer needed. */
function forgetWithheld(tx: Transaction, incidentId: string): void {
  for (const [id] of Array.from(tx.entries(kinds.withheld)))
    if (id.startsWith(`${incidentId}|`)) tx.delete(kinds.withheld.of(id));
}

/** Deletes the oldest closed incidents. */
export function pruneIncidents(tx: Transaction): void {
  const closed = listIncidents(tx).filter(({ closedAtMs }) => closedAtMs !== undefined);
  for (const { id } of closed.slice(keptIncidents)) tx.delete(kinds.incident.of(id));
}

/** Stops a rule that was about to act on too many channels, and notifies a person once. */
export function stopRule(evaluation: Evaluation, rule: Rule, { values }: GuardVerdict): void {
  const text = capText(evaluation, rule, { values });
  raise(evaluation, rule, 'cap', text, values);
  openIncident(evaluation.tx, 'cap', rule.name, {
    affected: Number(values['affected']),
    live: Number(values['live']),
    text,
  });
}

/** Reports that a rule has reached its `max_per_hour`, once until it acts again. */
export function noteRateReached(evaluation: Evaluation, rule: Rule, { values }: GuardVerdict): void {
  if (evaluation.tx.get(kinds.alert.of('rate', rule.name)) !== undefined) return;
  const fired = values['firedInLastHour'];
  const text =
    rule.mode === 'enforce'
      ? `Rule ${rule.name} has fired ${fired} times in the last hour and may not fire more often (max_per_hour).`
      : `Rule ${rule.name} is in dry run: it would have fired ${fired} times in the last hour, and max_per_hour allows no more.`;
  raise(evaluation, rule, 'rate', text, values);
}

/** The rule acts again: it is below its `max_per_hour`. */
export function clearRateAlert(tx: Transaction, rule: string): void {
  if (tx.get(kinds.alert.of('rate', rule)) !== undefined) tx.delete(kinds.alert.of('rate', rule));
}

/** Restarts a stopped rule. Returns whether it was stopped. */
export function resetRule(tx: Transaction, rule: string): boolean {
  const stopped = removeControl(tx, kinds.alert.of('cap', rule));
  const incident = openIncidentOf(tx, rule);
  if (incident?.kind === 'cap') closeIncident(tx, rule, tx.nowMs);
  return stopped;
}

function raise(
  evaluation: Evaluation,
  rule: Rule,
  kind: RuleAlert['kind'],
  text: string,
  values: RuleAlert['values'],
): void {
  const { tx, nowMs } = evaluation;
  // A rule in dry run only records: nobody is notified because of it.
  const isDryRun = rule.mode !== 'enforce';
  const about = { kind, rule: rule.name, ruleHash: rule.hash, sinceMs: nowMs, text, values };
  const alert: RuleAlert = { ...about, ...(isDryRun ? { dryRun: true } : {}) };
  placeControl(tx, kinds.alert.of(kind, rule.name), alert);
  if (isDryRun) return;
  const receiver = receiverOf(evaluation, rule);
  if (receiver === undefined && evaluation.ruleset.route === undefined) return;
  const decisionId = `d-${hashOf('alert', kind, rule.name, nowMs)}`;
  const payload: ActionJob = {
    action: 'notify',
    params: { ...(receiver === undefined ? {} : { receiver }), text },
    alert: {
      fingerprint: hashOf('alert', kind, rule.name, nowMs),
      labels: {
        ...labelsOf({ rule: rule.name }),
        alertname: `${rule.name} is ${kind === 'cap' ? 'stopped' : 'slowed down'}`,
      },
      startsAtMs: nowMs,
      needs: {
        kind: 'alert',
        id: `${evaluation.options.accountPrefix ?? ''}alert:${kind}|${rule.name}`,
        sinceMs: nowMs,
      },
    },
    cause: { kind: 'rule', rule: rule.name, decisionId },
    decidedAtMs: nowMs,
  };
  tx.enqueue({ jobId: `notify-${hashOf('alert', kind, rule.name, nowMs)}`, name: 'notify', payload: { ...payload } });
}

/** The receivers that the rule notifies anyway; else those of the route (undefined), or without a route the first receiver of the file. */
export function receiverOf({ ruleset }: Evaluation, rule: Rule): string | undefined {
  const own = [...rule.actions, ...rule.onResolve].find(({ action }) => action === 'notify');
  if (own) return (own.params as ActionParams<'notify'>).receiver;
  return ruleset.route ? undefined : ruleset.receivers[0]?.name;
}
