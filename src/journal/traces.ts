// What is still known about something that was deleted: a link to it says what it was, and when that was.
import type { ChannelArn } from '#domain/channel.ts';
import { iso } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import { notFound } from '#domain/not-found.ts';
import { personText } from '#domain/person.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { type AuditRow, auditEntries } from './audit.ts';
import { queryDecisions } from './query.ts';
import { decisionWords } from './words.ts';

type Reader = Pick<SharedState, 'readLog' | 'view'>;

/** Number of audit entries that are read for one answer. */
const mostLooked = 20_000;

/**
 * About a decision that has left the journal: `of rule slate about studio-a (arn:…) at 2026-…: acted, put_metadata`; '' if nothing is
 * known.
 */
export async function traceOfDecision(state: Reader, id: string): Promise<string> {
  for (const [key, { decisionId, atMs, outcome, reason }] of state.view.entries(kinds.last)) {
    if (decisionId !== id) continue;
    const [rule = '', arn = ''] = key.split('|');
    return `of rule ${rule} about ${named(state, arn)} at ${iso(atMs)}: ${outcome}, ${reason}`;
  }
  const acted = await newestAudited(state, ({ decisionId, why }) => decisionId === id || why === id);
  return acted ? `of ${auditedText(state, acted)}` : '';
}

/** About a job that the queue has deleted; '' if nothing is known. */
export async function traceOfJob(state: Reader, jobId: string): Promise<string> {
  const found = await newestAudited(state, (row) => row.jobId === jobId);
  return found ? auditedText(state, found) : '';
}

/** About a silence that has ended or was replaced; '' if nothing is known. */
export async function traceOfSilence(state: Reader, id: string): Promise<string> {
  const found = await newestAudited(
    state,
    ({ what, params }) => (what === 'silence' || what === 'expire_silence') && paramOf(params, 'id') === id,
  );
  if (!found) return '';
  const endsMs = found.what === 'silence' ? paramOf(found.params, 'endsMs') : undefined;
  const ended = typeof endsMs === 'number' ? `, ended by itself at ${iso(endsMs)}` : ` (${found.why})`;
  return `${auditedText(state, found)}${ended}`;
}

function paramOf(params: unknown, name: string): unknown {
  return typeof params === 'object' && params !== null ? (params as Record<string, unknown>)[name] : undefined;
}

/** About a channel that is neither live nor listed, or about one session of it; '' if nothing is known. */
export async function traceOfChannel(state: Reader, channelArn: ChannelArn, streamId?: string): Promise<string> {
  const { decisions } = await queryDecisions(state, { channelArn, streamId, limit: 1 });
  const [decision] = decisions;
  if (decision) {
    const { rule, channelName, atMs, outcome } = decision;
    const name = channelName ? `${channelName}, ` : '';
    return `${name}last decided about at ${iso(atMs)} (rule ${rule}: ${outcome}, ${decisionWords(decision)})`;
  }
  const found = streamId === undefined && (await newestAudited(state, (row) => row.channelArn === channelArn));
  return found ? `last acted on: ${auditedText(state, found)}` : '';
}

/** For a session, or a channel without any, that is unknown or no longer known. */
export async function unknownSession(
  state: Reader,
  channelArn: ChannelArn,
  streamId: string | undefined,
): Promise<AppError> {
  const what = streamId === undefined ? 'a session' : `session ${streamId}`;
  const text = `nothing is known about ${what} of ${channelArn}: sessions are kept for as long as retention.sessions says, the last hundred of each channel`;
  return notFound('session', withTrace(text, await traceOfChannel(state, channelArn, streamId)));
}

/** @param trace from one of the functions above; '' adds nothing */
export function withTrace(text: string, trace: string): string {
  return trace === '' ? text : `${text}; what is left of it: ${trace}`;
}

async function newestAudited(state: Reader, isOf: (row: AuditRow) => boolean): Promise<AuditRow | undefined> {
  const rows = auditEntries(state, {}, undefined, mostLooked);
  for (let step = await rows.next(); !step.done; step = await rows.next()) if (isOf(step.value)) return step.value;
  return undefined;
}

function auditedText(state: Reader, { who, what, outcome, channelArn, atMs }: AuditRow): string {
  const about = channelArn === undefined ? '' : ` on ${named(state, channelArn)}`;
  return `${what}${about} by ${personText(who)}, ${outcome} at ${iso(atMs)}`;
}

function named({ view }: Pick<SharedState, 'view'>, arn: string): string {
  const name = view.get(kinds.channel.of(arn))?.name;
  return name ? `${name} (${arn})` : arn;
}
