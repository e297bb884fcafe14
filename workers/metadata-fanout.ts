// metadata-fanout: hands metadata for many channels, decided in one commit, to the outbox in one step. To people each channel's part is
// a job of its own: what is not the same for all is told of each. Safe to run again: a part that was accepted is known by its key.
import type { RunOutcome } from '#domain/action-memory.ts';
import { isOnHold } from '#domain/controls-in-force.ts';
import { durationMs } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import { type FanoutMember, type MetadataFanout, memberJob } from '#domain/metadata-fanout.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { parseFanout } from '#jobs/catalog.ts';
import { skippedByControls } from './preconditions.ts';
import type { JobRun } from './host.ts';
import type { JobResult } from './outcome.ts';
import type { MetadataParts } from './ports.ts';

/** How one member's job ended. */
export interface MemberResult {
  readonly outcome: Extract<RunOutcome, 'done' | 'skipped' | 'failed'>;
  readonly reason: string;
}

/** What a run returns: how it ended for all, and the members (by their place) for which it ended otherwise. */
export interface FanoutResult extends JobResult {
  readonly batchId?: string;
  readonly members: number;
  readonly others: Readonly<Record<string, MemberResult>>;
}

export interface FanoutPorts {
  readonly state: SharedState;
  readonly metadata: MetadataParts;
}

/** Of a channel without room: it is tried again. */
const fullAgainMs = 2_000;

/** Binds the handler; fan-outs of one replica are accepted in the order in which their jobs were taken. */
export function bindFanout({ state, metadata }: FanoutPorts): (payload: unknown, run: JobRun) => Promise<FanoutResult> {
  return async (payload, run) => {
    const fanout = parseFanout(payload);
    // Metadata is in a hurry, and holds that are older than the decision were heeded there.
    await state.refresh({ maxAgeMs: 300 });
    return carryOut(fanout, { state, metadata, run });
  };
}

async function carryOut(
  fanout: MetadataFanout,
  { state, metadata, run }: FanoutPorts & { readonly run: JobRun },
): Promise<FanoutResult> {
  const { rule, params, members, decidedAtMs } = fanout;
  const { expires, key, lane = 'normal' } = params;
  const skipped = skippedByControls(memberJob(fanout, members[0]!), { state, check: run.check });
  if (skipped) return { outcome: 'skipped', reason: skipped.reason, members: members.length, others: {} };
  const expiresInMs = expires === undefined ? undefined : decidedAtMs + durationMs(expires) - state.nowMs();
  if (expiresInMs !== undefined) {
    const compared = { asked: { expires }, found: { ageMs: Math.round(state.nowMs() - decidedAtMs) } };
    if (!run.check('expires', expiresInMs > 0, compared))
      return { outcome: 'skipped', reason: 'expired', members: members.length, others: {} };
  }
  const nowMs = state.nowMs();
  const places = members.map((_, place) => place).filter((place) => !isOnHold(state.view, members[place]!.channelArn, nowMs));
  const others: Record<string, MemberResult> = {};
  for (const place of members.keys()) others[place] = { outcome: 'skipped', reason: 'held' };
  const partOf = ({ channelArn, key: partKey, payload = params.payload }: FanoutMember) => ({ channelArn, key: partKey, payload });
  const { batchId, states } = await metadata.submitParts({
    parts: places.map((place) => partOf(members[place]!)),
    key,
    expiresInMs,
    lane,
    who: `rule ${rule}`,
    job: {
      jobId: run.jobId,
      rule,
      members: places.map((place) => {
        const { channelArn, decisionId } = members[place]!;
        return [channelArn, place, decisionId] as const;
      }),
    },
  });
  if (states.includes('queue_full'))
    throw new AppError('OUTBOX_FULL', `no room for metadata of ${states.filter((each) => each === 'queue_full').length} channels; the others have theirs`, {
      disposition: { kind: 'retry-after', delayMs: fullAgainMs },
    });
  for (const [at, each] of states.entries()) {
    const place = places[at]!;
    if (each === 'accepted' || each === 'repeated') delete others[place];
    else if (each === 'payload_too_large') others[place] = { outcome: 'failed', reason: 'PAYLOAD_TOO_LARGE' };
    else others[place] = { outcome: 'skipped', reason: each };
  }
  const accepted = states.filter((each) => each === 'accepted' || each === 'repeated').length;
  const common = { batchId, members: members.length };
  if (accepted > 0) return { ...common, outcome: 'done', reason: 'accepted', channels: accepted, others };
  return { ...common, outcome: 'skipped', reason: 'no_channel', others };
}

/** How a member's job ended, by what the run for all of them returned. */
export function memberResult({ outcome, reason = '', others }: FanoutResult, place: number): MemberResult {
  return others[place] ?? { outcome: outcome === 'done' ? 'done' : 'skipped', reason };
}
