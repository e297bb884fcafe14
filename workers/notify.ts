// notify: a message to a receiver; at once, or as the receiver's groups and the routes say.
import type { ActionJob } from '#domain/action.ts';
import { formatDuration, iso } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import type { GroupMessage } from '#domain/notification.ts';
import type { Receiver } from '#domain/receiver.ts';
import { kinds } from '#domain/state-registry.ts';
import { visibleLines } from '#domain/visible-text.ts';
import { jobIdOf } from '#jobs/job-id.ts';
import { documentOf } from '#notify/document.ts';
import {
  type Gathered,
  gather,
  hasRoom,
  isEndOfAnother,
  isInGroup,
  nextRoomMs,
  noteMissed,
  noteSent,
  overflowOf,
  routesOf,
  type Target,
} from '#notify/groups.ts';
import { currentTrace } from '#runtime/tracing.ts';
import type { Message } from './message.ts';
import type { ActionHandler, HandlerContext, HandlerResult } from './ports.ts';
import { onlyIfFailsFresh, planned } from './preconditions.ts';
import { jsonOf, mostPutOffMs, notificationOf, receiverNamed, sendToReceiver } from './receivers.ts';
import { testReceiver } from './test-receiver.ts';

type NotifyJob = ActionJob<'notify'>;

/** How a rule's `send_resolved` message begins (src/rules/resolved-notice.ts); receivers with their own status field do not need it. */
const resolvedPrefix = 'Resolved: ';

export const notify: ActionHandler<'notify'> = async (job, context) => {
  const targets = targetsOf(job, context);
  for (const { receiver } of targets) receiverNamed(context, receiver);
  const skip = await onlyIfFailsFresh(job, context);
  if (skip) return skip;
  if (job.dryRun)
    return planned(
      targets.map((target) => plannedCall(target, context)),
      undefined,
    );
  const [only] = targets;
  if (job.group) return sendGroup(job, job.group, context);
  if (only && job.isTest) return testReceiver(job, context, receiverNamed(context, only.receiver));
  if (only && targets.length === 1 && !only.grouping)
    return sendAtOnce(job, context, receiverNamed(context, only.receiver));
  if (targets.every(({ grouping }) => grouping)) return gatherAll(job, context, targets);
  return askForEach(job, context, targets);
};

/** Where a message goes. What a person requests, and what asks a person to act, goes at once. */
function targetsOf(job: NotifyJob, context: HandlerContext): readonly Target[] {
  const { receiver: name, severity } = job.params;
  const isGrouped = job.cause.kind === 'rule' && !job.isNotice;
  const ungrouped = (target: Target): Target => (isGrouped ? target : { ...target, grouping: undefined });
  if (name !== undefined) {
    const { grouping } = receiverNamed(context, name);
    return [ungrouped({ receiver: name, grouping, routeKey: `{receiver=${JSON.stringify(name)}}` })];
  }
  const route = context.route();
  if (!route)
    throw new AppError('RECEIVER_UNKNOWN', 'the notify names no receiver, and the configuration has no route');
  const { labels } = notificationOf(job, '', '').alerts[0];
  const targets = routesOf(route, severity === undefined ? labels : { ...labels, severity });
  // Two routes to one receiver are two groups; sent at once they are one message.
  return isGrouped ? targets : [...new Map(targets.map((target) => [target.receiver, ungrouped(target)])).values()];
}

function plannedCall({ receiver, grouping }: Target, context: HandlerContext): string {
  const places = receiverNamed(context, receiver).integrations.map(({ place }) => place);
  const when = grouping ? `, grouped by ${grouping.by === '...' ? '...' : grouping.by.join(', ') || 'nothing'}` : '';
  return `notify ${receiver}: ${places.join(', ')}${when}`;
}

/** At once; if it exceeds the receiver's limit, together with the others when there is room. */
async function sendAtOnce(job: NotifyJob, context: HandlerContext, receiver: Receiver): Promise<HandlerResult> {
  const message = messageOf(job, context.jobId, receiver.name);
  if (job.cause.kind === 'rule' && receiver.maxPerHour !== undefined) {
    const gathered = await gatherOverflow(job, context, receiver);
    if (gathered?.kind === 'later') throw putOffUntil(gathered.atMs, receiver, context);
    if (gathered) return resultOf([gathered], context);
  }
  const sent = await sendToReceiver(context, receiver, message);
  return { outcome: 'done', receiver: receiver.name, sent };
}

/**
 * What became of a message that has no room; undefined: it has room. An earlier run of the job may have been let through. The end of an
 * alert that was sent alone waits for room (`later`): among the others it would not close its incident.
 */
function gatherOverflow(
  job: NotifyJob,
  context: HandlerContext,
  receiver: Receiver,
): Promise<Gathered | { readonly kind: 'later'; readonly atMs: number } | undefined> {
  const overflow = overflowOf(receiver);
  const [alert] = messageOf(job, context.jobId, receiver.name).notification.alerts;
  const key = kinds.notified.of(context.jobId);
  const trace = currentTrace();
  return context.state.transact((tx) => {
    if (!alert || tx.get(key)) return undefined;
    const isEnd = isEndOfAnother(tx, overflow, alert);
    const hasWaited = isEnd && tx.nowMs - job.decidedAtMs >= mostPutOffMs;
    if (!isInGroup(tx, overflow, alert) && (hasRoom(tx, receiver, tx.nowMs) || hasWaited)) {
      noteSent(tx, receiver);
      tx.set(key, { taken: [], atMs: tx.nowMs });
      return undefined;
    }
    if (isEnd) return { kind: 'later', atMs: nextRoomMs(tx, receiver, tx.nowMs) };
    return gather(tx, overflow, { alert, decidedAtMs: job.decidedAtMs, trace });
  });
}

function putOffUntil(atMs: number, { name }: Receiver, { state }: HandlerContext): AppError {
  const delayMs = Math.max(1_000, atMs - state.nowMs());
  return new AppError('WEBHOOK_FAILED', `${name}: max_per_hour leaves no room for ${Math.ceil(delayMs / 1000)} s`, {
    disposition: { kind: 'retry-after', delayMs },
  });
}

/** A job that runs again after a crash was collected before, and its groups may have been sent since. */
async function gatherAll(job: NotifyJob, context: HandlerContext, targets: readonly Target[]): Promise<HandlerResult> {
  const dedupId = `gathered:${context.jobId}`;
  const trace = currentTrace();
  const gathered = await context.state.transact(
    (tx) => {
      if (tx.isRepeat(dedupId)) return undefined;
      return targets.flatMap(({ receiver, grouping, routeKey }) => {
        const [alert] = messageOf(job, context.jobId, receiver).notification.alerts;
        if (!alert || !grouping) return [];
        return gather(tx, { receiver, grouping, routeKey }, { alert, decidedAtMs: job.decidedAtMs, trace });
      });
    },
    { dedupIds: [dedupId] },
  );
  return gathered ? resultOf(gathered, context) : { outcome: 'done', reason: 'in its groups since an earlier run' };
}

/** For the journal. */
function resultOf(gathered: readonly Gathered[], { state }: HandlerContext): HandlerResult {
  const told = gathered.map((each) => {
    if (each.kind === 'gathered')
      return `in the group ${each.groupKey}, next message in ${formatDuration(Math.max(0, each.nextMs - state.nowMs()))}`;
    if (each.kind === 'full') return `only counted: no room in the group ${each.groupKey}`;
    return each.kind === 'over'
      ? `${each.groupKey} has sent it, or had nothing to send`
      : `${each.groupKey} has something newer`;
  });
  const isDropped = gathered.every(({ kind }) => kind !== 'gathered');
  return {
    outcome: isDropped ? 'skipped' : 'done',
    reason: told.join('; '),
    groups: gathered.map(({ groupKey }) => groupKey),
  };
}

/** Several receivers at once become one job each: one that fails is retried alone. */
async function askForEach(job: NotifyJob, context: HandlerContext, targets: readonly Target[]): Promise<HandlerResult> {
  const receivers = targets.map(({ receiver }) => receiver);
  await context.state.transact((tx) => {
    for (const receiver of receivers)
      tx.enqueue({
        jobId: jobIdOf('notify', context.jobId, receiver),
        name: 'notify',
        payload: { ...job, params: { ...job.params, receiver }, onlyIf: undefined },
      });
  });
  context.nudge();
  return { outcome: 'done', reason: `handed on to ${receivers.join(', ')}` };
}

async function sendGroup(job: NotifyJob, group: GroupMessage, context: HandlerContext): Promise<HandlerResult> {
  const { sendResolved, notification, only } = group;
  const { receiver: name, firing, resolved } = notification;
  const document = documentOf(notification, context.externalUrl());
  const { text } = job.params;
  const message: Message = {
    notification,
    json: {
      version: 1,
      receiver: name,
      text,
      status: document.status,
      groupKey: document.groupKey,
      groupLabels: document.groupLabels,
      firing,
      resolved,
      truncatedAlerts: document.truncatedAlerts,
      alerts: document.alerts,
      decidedAt: iso(job.decidedAtMs),
      jobId: context.jobId,
    },
    slackText: text,
    decidedAtMs: job.decidedAtMs,
    audience: sendResolved ? 'send_resolved' : 'others',
    only,
  };
  const sent = await sendToReceiver(context, receiverNamed(context, name), message, (tx, missed) =>
    noteMissed(tx, group, missed),
  );
  return { outcome: 'done', receiver: name, sent, reason: `${firing} firing, ${resolved} resolved` };
}

function messageOf(job: NotifyJob, jobId: string, receiver: string): Message {
  const text = visibleLines(job.params.text);
  const plain = job.alert?.isAutomatic ? text.replace(resolvedPrefix, '') : text;
  return {
    notification: notificationOf(job, receiver, plain),
    json: jsonOf({ jobId }, job, receiver, text),
    slackText: text,
    decidedAtMs: job.decidedAtMs,
    audience: job.alert?.isAutomatic ? 'send_resolved' : 'all',
  };
}
