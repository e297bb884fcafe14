// metadata-fanout: hands metadata for many channels, decided in one commit, to the outbox in one step. People see each channel's part as a
// job of its own: what is not the same for all is reported for each. Safe to repeat: a part that was accepted is known by its key, and
// stays accepted whatever a later run finds.
import type { RunOutcome } from '#domain/action-memory.ts';
import { isOnHold } from '#domain/controls-in-force.ts';
import type { Check } from '#domain/decision.ts';
import { durationMs } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import { type FanoutMember, type MetadataFanout, memberJob } from '#domain/metadata-fanout.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { parseFanout } from '#jobs/catalog.ts';
import type { JobRun } from './host.ts';
import type { RunResult } from './outcome.ts';
import type { MetadataParts } from './ports.ts';
import { skippedByControls } from './preconditions.ts';

/** How one member's job ended. */
export interface MemberResult {
  readonly outcome: Extract<RunOutcome, 'done' | 'skipped' | 'failed'>;
  readonly reason: string;
  /** What was compared for this channel alone. */
  readonly checks?: readonly Check[];
}

/** What a run returns: the outcome for all, and the members (by position) whose outcome differs. */
export interface FanoutResult extends RunResult {
  /** For what this run handed over. */
  readonly batchId?: string;
  readonly members: number;
  readonly others: Readonly<Record<string, MemberResult>>;
}

export interface FanoutPorts {
  readonly state: SharedState;
  readonly metadata: MetadataParts;
}

/** For a channel without room: it is retried. */
const fullAgainMs = 2_000;

/** Binds the handler to what it works with. */
export function bindFanout({ state, metadata }: FanoutPorts): (payload: unknown, run: JobRun) => Promise<FanoutResult> {
  return async (payload, run) => {
    const fanout = parseFanout(payload);
    // Metadata is urgent, and holds that are older than the decision were checked there.
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
  const skipped = skippedByControls(memberJob(fanout, members[0]!), {
    state,
    check: (...compared) => run.check(...compared),
  });
  if (skipped) return skipRest(fanout, skipped.reason ?? '', metadata);
  const expiresInMs = expires === undefined ? undefined : decidedAtMs + durationMs(expires) - state.nowMs();
  if (expiresInMs !== undefined) {
    const compared = { asked: { expires }, found: { ageMs: Math.round(state.nowMs() - decidedAtMs) } };
    if (!run.check('expires', expiresInMs > 0, compared)) return skipRest(fanout, 'expired', metadata);
  }
  const nowMs = state.nowMs();
  const others: Record<string, MemberResult> = {};
  const isHeld = members.map(({ channelArn }) => isOnHold(state.view, channelArn, nowMs));
  const heldBack = isHeld.includes(true) ? await notAccepted(members, metadata) : new Set<number>();
  const places: number[] = [];
  for (const place of members.keys()) {
    if (isHeld[place] && heldBack.has(place))
      others[place] = { outcome: 'skipped', reason: 'held', checks: [heldAt(nowMs)] };
    else places.push(place);
  }
  const partOf = ({ channelArn, key: partKey, payload = params.payload }: FanoutMember) => ({
    channelArn,
    key: partKey,
    payload,
  });
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
    headStart: run.headStart,
    acceptedAs: run.acceptedAs,
  });
  if (states.includes('queue_full'))
    throw new AppError(
      'OUTBOX_FULL',
      `no room for metadata of ${states.filter((each) => each === 'queue_full').length} channels; the others have theirs`,
      {
        disposition: { kind: 'retry-after', delayMs: fullAgainMs },
      },
    );
  for (const [at, each] of states.entries()) {
    if (each === 'payload_too_large') others[places[at]!] = { outcome: 'failed', reason: 'PAYLOAD_TOO_LARGE' };
    else if (each !== 'accepted' && each !== 'repeated') others[places[at]!] = { outcome: 'skipped', reason: each };
  }
  const accepted = states.filter((each) => each === 'accepted' || each === 'repeated').length;
  const common = { ...(states.includes('accepted') ? { batchId } : {}), members: members.length };
  if (accepted > 0) return { ...common, outcome: 'done', reason: 'accepted', channels: accepted, others };
  return { ...common, outcome: 'skipped', reason: 'no_channel', others };
}

/** Hands over nothing more; what an earlier run handed over stays accepted. */
async function skipRest(
  { members }: MetadataFanout,
  reason: string,
  metadata: FanoutPorts['metadata'],
): Promise<FanoutResult> {
  const rest = await notAccepted(members, metadata);
  const channels = members.length - rest.size;
  if (channels === 0) return { outcome: 'skipped', reason, members: members.length, others: {} };
  const others = Object.fromEntries(Array.from(rest, (place) => [place, { outcome: 'skipped' as const, reason }]));
  return { outcome: 'done', reason: 'accepted', channels, members: members.length, others };
}

/** The positions of those that no earlier run handed over. */
async function notAccepted(
  members: readonly FanoutMember[],
  metadata: FanoutPorts['metadata'],
): Promise<ReadonlySet<number>> {
  const accepted = await metadata.acceptedUnder(members.map(({ key }) => key));
  return new Set(members.keys().filter((place) => accepted[place] === undefined));
}

function heldAt(atMs: number): Check {
  return { check: 'hold', verdict: 'failed', asked: { held: false }, found: { held: true }, atMs };
}

/** How a member's job ended, according to the result of the run for all members. */
export function memberResult({ outcome, reason = '', others }: FanoutResult, place: number): MemberResult {
  return others?.[place] ?? { outcome: outcome === 'done' ? 'done' : 'skipped', reason };
}
