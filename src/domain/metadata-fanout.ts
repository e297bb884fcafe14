// Metadata for many channels from one commit: one job in the queue instead of one for each channel. People see each channel's part as a job
// of its own, with an id that leads back to the fan-out (docs/decisions/0017-one-commit-one-job.md).
import type { ActionJob, ActionParams } from './action.ts';
import type { JobRequest } from './job.ts';

export const fanoutJobName = 'metadata-fanout';

/** One channel's part. */
export interface FanoutMember {
  /** Derived from the cause: the same key is accepted once, whichever fan-out contains it. */
  readonly key: string;
  readonly channelArn: string;
  readonly decisionId: string;
  readonly streamId?: string | undefined;
  /** If it differs from that of the others. */
  readonly payload?: ActionParams<'put_metadata'>['payload'] | undefined;
}

/** The payload of the job, for one step of one rule. */
export interface MetadataFanout {
  readonly rule: string;
  readonly decidedAtMs: number;
  readonly params: ActionParams<'put_metadata'>;
  readonly members: readonly FanoutMember[];
}

/** The id of one member's job. */
export function memberJobId(fanoutId: string, index: number): string {
  return `${fanoutId}-${index}`;
}

/** The fan-out that a job's id belongs to, and the index of the member; undefined for the id of any other job. */
export function memberOfJobId(jobId: string): { readonly fanoutId: string; readonly index: number } | undefined {
  const [, fanoutId, index] = /^(metadata-fanout-[0-9a-f]{24})-(0|[1-9]\d{0,5})$/.exec(jobId) ?? [];
  return fanoutId === undefined ? undefined : { fanoutId, index: Number(index) };
}

/** Whether a job is a fan-out itself, and not a signal that a batch waits. */
export function isFanout({ name, payload }: Pick<JobRequest, 'name' | 'payload'>): boolean {
  return name === fanoutJobName && Array.isArray(payload['members']);
}

/** A member in the form of a job of its own. */
export function memberJob(
  fanout: MetadataFanout,
  { channelArn, decisionId, streamId, payload }: FanoutMember,
): ActionJob<'put_metadata'> {
  const { rule, decidedAtMs, params } = fanout;
  return {
    action: 'put_metadata',
    params: payload === undefined ? params : { ...params, payload },
    channelArn,
    ...(streamId === undefined ? {} : { streamId }),
    cause: { kind: 'rule', rule, decisionId },
    decidedAtMs,
  };
}

/** Splits a committed fan-out into one job for each channel; returns any other job unchanged. */
export function apart(request: JobRequest): readonly JobRequest[] {
  if (!isFanout(request)) return [request];
  const fanout = request.payload as unknown as MetadataFanout;
  return fanout.members.map((member, index) => ({
    jobId: memberJobId(request.jobId, index),
    name: 'put_metadata',
    payload: { ...memberJob(fanout, member) },
  }));
}
