// The jobs that one transaction decides on, enqueued together at its end. Until then, metadata for the channels that a rule fired for is
// collected: one job for each step of a rule instead of one for each channel (docs/decisions/0017-one-commit-one-job.md).
import type { ActionJob, ActionName } from '#domain/action.ts';
import type { JobRequest } from '#domain/job.ts';
import { type FanoutMember, fanoutJobName, type MetadataFanout, memberJobId } from '#domain/metadata-fanout.ts';
import type { Transaction } from '#domain/shared-state.ts';
import { mostFollowed, type Traceparent } from '#domain/trace.ts';
import { hashOf } from './hash-of.ts';

type MetadataJob = ActionJob<'put_metadata'>;

/** A job as its decision names it; a member's id is known when all members have been collected. */
interface Named {
  jobId: string;
  readonly action: ActionName;
}

interface Group {
  readonly job: MetadataJob & { readonly cause: { readonly kind: 'rule' } };
  readonly members: { readonly member: FanoutMember; readonly named: Named }[];
  /** The places of its members' decisions in traces. */
  readonly follows: Set<Traceparent>;
  readonly channels: Set<string>;
}

/** Most channels of one job. */
const mostMembers = 250;

/** Whether nothing but holds is read for this job: it sends at once to the channel that it is about. */
export function canFanOut({ action, params, channelArn, onlyIf, cause }: ActionJob): boolean {
  const isForItsChannel = (params as MetadataJob['params']).targets === undefined && channelArn !== undefined;
  return action === 'put_metadata' && isForItsChannel && onlyIf === undefined && cause.kind === 'rule';
}

export class CommitJobs {
  /** By step: the group that takes its next member. */
  readonly #open = new Map<string, Group>();
  /** In the order of the decisions; a group is at the place of its first member. */
  readonly #decided: (JobRequest | Group)[] = [];

  add(request: JobRequest): void {
    this.#decided.push(request);
  }

  /**
   * Adds one channel's job.
   * @param step what it is a step of: rule, place, index
   * @param key its id as a job of its own, derived from its cause
   */
  fanOut(step: string, key: string, job: MetadataJob): Named {
    if (job.cause.kind !== 'rule' || job.channelArn === undefined)
      throw new TypeError('only rules fan out, for a channel');
    const { payload, ...rest } = job.params;
    const like = `${step}|${JSON.stringify(rest)}`;
    const named: Named = { jobId: key, action: 'put_metadata' };
    const group = this.#groupFor(like, job as Group['job'], job.channelArn);
    const isSame =
      payload === group.job.params.payload || JSON.stringify(payload) === JSON.stringify(group.job.params.payload);
    const member: FanoutMember = {
      key,
      channelArn: job.channelArn,
      decisionId: job.cause.decisionId,
      ...(job.streamId === undefined ? {} : { streamId: job.streamId }),
      ...(isSame ? {} : { payload }),
    };
    group.members.push({ member, named });
    for (const place of job.follows ?? []) if (group.follows.size < mostFollowed) group.follows.add(place);
    group.channels.add(job.channelArn);
    return named;
  }

  /** Enqueues everything, and gives the members of fan-outs the ids of their jobs. A single channel becomes an ordinary job. */
  flush(tx: Transaction): void {
    for (const one of this.#decided) tx.enqueue('members' in one ? requestOf(one) : one);
    this.#decided.length = 0;
    this.#open.clear();
  }

  /** No channel twice in a group: it may have several causes in one transaction. */
  #groupFor(like: string, job: Group['job'], channelArn: string): Group {
    const open = this.#open.get(like);
    if (open && open.members.length < mostMembers && !open.channels.has(channelArn)) return open;
    const group: Group = { job, members: [], channels: new Set(), follows: new Set() };
    this.#open.set(like, group);
    this.#decided.push(group);
    return group;
  }
}

function requestOf({ job, members, follows }: Group): JobRequest {
  const [first] = members;
  if (first && members.length === 1) return { jobId: first.named.jobId, name: 'put_metadata', payload: { ...job } };
  const jobId = `${fanoutJobName}-${hashOf('fanout', ...members.map(({ member }) => member.key))}`;
  for (const [index, { named }] of members.entries()) named.jobId = memberJobId(jobId, index);
  const { cause, decidedAtMs, params } = job;
  const fanout: MetadataFanout = {
    rule: cause.rule,
    decidedAtMs,
    params,
    members: members.map(({ member }) => member),
  };
  return {
    jobId,
    name: fanoutJobName,
    payload: { ...fanout, ...(follows.size === 0 ? {} : { follows: [...follows] }) },
  };
}
