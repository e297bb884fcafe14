// Turns the steps of a rule into jobs: labels, mutes, templates, ids. Ids follow only from rule, subject, cause and step.
import { type ActionJob, type ActionParams, namedFiles } from '#domain/action.ts';
import { takeTurn } from '#domain/ad-break-line.ts';
import type { Decision } from '#domain/decision.ts';
import type { AggregateDocument, TemplateContext } from '#domain/documents.ts';
import { durationMs } from '#domain/duration.ts';
import type { Labels } from '#domain/labels.ts';
import type { AlertContext } from '#domain/notification.ts';
import type { Rule, RuleMode, Step } from '#domain/rule.ts';
import type { Cause, Firing } from '#domain/rule-memory.ts';
import { placeBelow, type Traceparent } from '#domain/trace.ts';
import { askApproval } from './approvals.ts';
import type { ChannelView } from './channel-view.ts';
import { canFanOut } from './commit-jobs.ts';
import { conditionSinceMs } from './conditions.ts';
import { formatWholeSeconds, sessionDocument } from './documents.ts';
import type { Evaluation } from './evaluation.ts';
import { hashOf } from './hash-of.ts';
import { incidentToldOf } from './incidents.ts';
import { labelsOf } from './label-matcher.ts';
import { allSubject, channelOfSubject } from './memory.ts';
import { aggregateDocumentWithNames } from './population.ts';
import { isAutomatic } from './resolved-notice.ts';
import { isHolding, type RuleOf } from './rule-index.ts';
import { isTemplate } from './template.ts';

/** What the actions of one decision are about. */
export interface Occasion {
  readonly rule: Rule;
  readonly subject: string;
  readonly group: string;
  readonly cause: Cause;
  readonly phase: 'fire' | 'step' | 'resolve';
  /** What the actions may do: `enforce` only if the rule enforced then and, except at the end, still does. */
  readonly mode: RuleMode;
  readonly decisionId: string;
  /** When the condition ended; undefined while it holds. */
  readonly endedAtMs?: number | undefined;
  /** What fires: an action that needs approval waits for it at most as long as that lasts. */
  readonly firing?: Firing | undefined;
  /** For an action that was approved: the session in which approval was requested. */
  readonly streamId?: string | undefined;
}

type Jobs = Decision['jobs'][number];
type Withheld = Decision['withheld'][number];

/** A rule's decision id for a cause: the same for every action that follows from it. */
export function decisionIdOf(rule: string, subject: string, cause: Cause): string {
  return `d-${hashOf('decision', rule, subject, cause.id)}`;
}

/** The place in a trace of what a decision follows from: what triggered its rule, or what ended it. */
export function traceOf({ trace }: Evaluation, cause: Cause, isEnd: boolean): Traceparent | undefined {
  return isEnd ? (trace ?? cause.trace) : (cause.trace ?? trace);
}

/** The text that the rule is grouped by, for this channel and cause. */
export function groupOf(rule: Rule, view: ChannelView | undefined, cause: Pick<Cause, 'event'>): string {
  return (
    rule.guards.groupBy
      .map((part) => {
        if (part.kind === 'channel') return view?.arn ?? '';
        if (part.kind === 'tag') return view?.channel.tags[part.tag] ?? '';
        const value = part.path.reduce<unknown>(
          (parent, key) =>
            typeof parent === 'object' && parent !== null ? (parent as Record<string, unknown>)[key] : undefined,
          cause.event,
        );
        return value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
      })
      .join(',') || allSubject
  );
}

/** Enqueues the steps that may run (in dry run: only names them), and reports which were held back, and why. */
export function runSteps(
  evaluation: Evaluation,
  occasion: Occasion,
  steps: readonly Step[],
): { readonly jobs: readonly Jobs[]; readonly withheld: readonly Withheld[] } {
  const jobs: Jobs[] = [];
  const withheld: Withheld[] = [];
  if (steps.length === 0) return { jobs, withheld };
  const view = viewOfSubject(evaluation, occasion.subject);
  const labels = labelsOf({ rule: occasion.rule.name, group: occasion.group, channel: view?.channel });
  let context: TemplateContext | undefined;
  for (const step of steps) {
    const muted = evaluation.muting.check(occasion.rule, labels, step.action);
    if (muted) {
      if (muted.source !== undefined)
        evaluation.noteWithheld(muted.source, withheldName(occasion.rule, occasion.subject, step));
      withheld.push({ action: step.action, reason: muted.reason, values: muted.values });
      continue;
    }
    context ??= contextOf(evaluation, occasion, view);
    const rendered = step.render(context);
    if (!rendered.ok) {
      withheld.push({ action: step.action, reason: 'template_failed', values: { problem: rendered.problem } });
      continue;
    }
    const { firing } = occasion;
    if (step.approval && occasion.mode === 'enforce' && firing) {
      const { rule, subject, cause, decisionId } = occasion;
      const list = occasion.phase === 'resolve' ? 'on_resolve' : 'actions';
      const { params } = rendered;
      const asked = { rule, subject, cause, list, step, params, firing, decisionId, view } as const;
      withheld.push({ action: step.action, ...askApproval(evaluation, asked) });
      continue;
    }
    jobs.push(enqueueStep(evaluation, occasion, { step, params: rendered.params, view }));
  }
  return { jobs, withheld };
}

/** The key under which incidents count that an action of a rule on its channel was held back. */
export function withheldName(rule: Rule, subject: string, step: Step): string {
  return hashOf('withheld', rule.name, subject, step.action, step.index);
}

/** Labels of a decision without an action, for explanations. */
export function labelsOfOccasion(rule: Rule, group: string, view: ChannelView | undefined): Labels {
  return labelsOf({ rule: rule.name, group, channel: view?.channel });
}

export function viewOfSubject(evaluation: Evaluation, subject: string): ChannelView | undefined {
  const arn = channelOfSubject(subject);
  return arn === undefined ? undefined : evaluation.channel(arn);
}

/** The folder that a templated path names before its first template. */
function deliveryFolderOf(params: ActionParams): Pick<ActionJob, 'deliveryFolder'> {
  const path = namedFiles(params).find(({ use }) => use === 'write')?.path;
  if (path === undefined || !isTemplate(path)) return {};
  const [spelledOut = ''] = path.split(/\{[{%]/, 1);
  return { deliveryFolder: spelledOut.includes('/') ? spelledOut.slice(0, spelledOut.lastIndexOf('/') + 1) : '.' };
}

/** Enqueues the job of a step; in dry run only names it. */
export function enqueueStep(
  evaluation: Evaluation,
  occasion: Occasion,
  { step, params, view }: { step: Step; params: ActionParams; view: ChannelView | undefined },
): Jobs {
  const { rule, subject, cause, phase, mode, decisionId, streamId: askedIn } = occasion;
  const place = phase === 'resolve' ? 'resolve' : 'actions';
  const head = step.action.replaceAll('_', '-').slice(0, 32);
  const jobId = `${head}-${hashOf('job', rule.name, subject, cause.id, place, step.index)}`;
  if (mode !== 'enforce') return { jobId, action: step.action };
  // A destructive action must not affect a session that it was not decided for; without a session there is nothing to name.
  const streamId = askedIn ?? cause.streamId ?? (view?.stream.live ? view.stream.streamId : undefined);
  const trace = traceOf(evaluation, cause, phase === 'resolve');
  const payload: ActionJob = {
    action: step.action,
    params,
    ...(trace === undefined ? {} : { follows: [placeBelow(trace, decisionId)] }),
    ...(step.action === 'notify'
      ? { alert: alertOf(evaluation, { occasion, step, view }, params as ActionParams<'notify'>) }
      : {}),
    ...(view ? { channelArn: view.arn } : {}),
    ...(streamId === undefined ? {} : { streamId }),
    cause: { kind: 'rule', rule: rule.name, decisionId },
    decidedAtMs: evaluation.nowMs,
    ...(step.onlyIf ? { onlyIf: step.onlyIf.source } : {}),
    ...deliveryFolderOf(step.params),
    ...(step.action === 'insert_ad_break' && rule.guards.minGapMs !== undefined
      ? { minGapMs: rule.guards.minGapMs }
      : {}),
    ...(step.action === 'edit_playback_restriction' && rule.match ? { match: rule.match.source } : {}),
  };
  const delayMs = phase === 'resolve' ? step.afterMs : 0;
  if (step.action === 'insert_ad_break' && view && delayMs === 0) placeInLine(evaluation, view, payload, jobId);
  if (delayMs === 0 && canFanOut(payload)) {
    return evaluation.jobs.fanOut(`${rule.name}|${place}|${step.index}`, jobId, payload as ActionJob<'put_metadata'>);
  }
  evaluation.jobs.add({ jobId, name: step.action, payload: { ...payload }, ...(delayMs > 0 ? { delayMs } : {}) });
  return { jobId, action: step.action };
}

/** What a notification of this decision is about. */
function alertOf(
  evaluation: Evaluation,
  {
    occasion,
    step,
    view,
  }: { readonly occasion: Occasion; readonly step: Step; readonly view: ChannelView | undefined },
  { severity }: ActionParams<'notify'>,
): AlertContext {
  const { rule, subject, group, cause, phase } = occasion;
  const lasts = isHolding(rule) || rule.keepFiringForMs > 0;
  const { tx, nowMs, options } = evaluation;
  const incident = rule.trigger.kind === 'aggregate' ? incidentToldOf(tx, rule.name, nowMs) : undefined;
  return {
    fingerprint: lasts ? hashOf('alert', rule.name, subject) : hashOf('alert', rule.name, subject, cause.id),
    labels: {
      ...labelsOf({ rule: rule.name, group, channel: view?.channel }),
      alertname: rule.name,
      ...(severity === undefined ? {} : { severity }),
    },
    startsAtMs: cause.evidence.sinceMs,
    ...(phase === 'resolve' ? { endsAtMs: endOf(evaluation, occasion, view) } : {}),
    ...(lasts ? { firing: { rule: rule.name, subject, causeId: cause.id } } : {}),
    ...(isAutomatic(step) ? { isAutomatic: true } : {}),
    ...(incident
      ? {
          needs: {
            kind: 'alert',
            id: `${options.accountPrefix ?? ''}incident:${incident.id}`,
            sinceMs: incident.openedAtMs,
          },
        }
      : {}),
  };
}

/** All channels of a decision are scheduled one after another, and the schedule is known as soon as the decision is. */
function placeInLine(evaluation: Evaluation, { arn: channelArn }: ChannelView, job: ActionJob, jobId: string): void {
  const { duration } = job.params as ActionParams<'insert_ad_break'>;
  takeTurn(evaluation.tx, {
    channelArn,
    jobId,
    durationSeconds: durationMs(duration) / 1000,
    cause: job.cause,
    spacingMs: evaluation.options.adBreakSpacingMs ?? 1_000,
  });
}

/** When the condition was over, as dated by the record of its stream: it is noticed a little later. While it lasts: now. */
function endOf(
  evaluation: Evaluation,
  { rule, cause, endedAtMs = evaluation.nowMs, phase }: Occasion,
  view: ChannelView | undefined,
): number {
  const { trigger } = rule;
  if (phase !== 'resolve' || trigger.kind !== 'state' || !view?.record || trigger.pattern.match(view.stream))
    return endedAtMs;
  const fields = evaluation.index.fields.get(rule.name) ?? ['state'];
  const toldMs = conditionSinceMs(view.record, fields, { nowMs: evaluation.nowMs, ages: [] });
  return Math.min(endedAtMs, Math.max(cause.evidence.sinceMs, toldMs));
}

/** What an aggregate counts now; for a rule that is gone or off, which nobody counts, the figures with which it began. */
function aggregateOf({ tx }: Evaluation, rule: Rule, { evidence }: Cause): AggregateDocument | undefined {
  if (rule.mode !== 'off')
    return rule.trigger.kind === 'aggregate' ? aggregateDocumentWithNames(tx, rule as RuleOf<'aggregate'>) : undefined;
  const { count, live, percent } = evidence.values;
  if (evidence.kind !== 'aggregate' || typeof count !== 'number') return undefined;
  return { count, live: Number(live), percent: Number(percent), channels: [] };
}

function contextOf(evaluation: Evaluation, occasion: Occasion, view: ChannelView | undefined): TemplateContext {
  const { rule, group, cause, phase } = occasion;
  const { sinceMs } = cause.evidence;
  // `keep_firing_for` does not count: the condition was over before it.
  const lastedMs = Math.max(0, endOf(evaluation, occasion, view) - sinceMs);
  const aggregate = aggregateOf(evaluation, rule, cause);
  return {
    rule: { name: rule.name, mode: rule.mode },
    firing: {
      since: new Date(sinceMs).toISOString(),
      duration: formatWholeSeconds(lastedMs),
      durationSeconds: Math.floor(lastedMs / 1000),
      group,
      resolved: phase === 'resolve',
    },
    ...(view ? { channel: view.channel, stream: view.stream } : {}),
    ...(view?.record ? { session: sessionDocument(view.record, evaluation.nowMs) } : {}),
    ...(cause.event ? { event: cause.event } : {}),
    ...(aggregate ? { aggregate } : {}),
    ...(cause.threshold ? { threshold: cause.threshold } : {}),
    ...(cause.http ? { http: cause.http } : {}),
  };
}
