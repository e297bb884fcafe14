// Metadata for many channels that one commit decided on: one job of the queue instead of one for each channel. To people each channel's
// part is a job of its own, with an id that leads back to the fan-out (docs/decisions/0017-one-commit-one-job.md).
import type { ActionJob, ActionParams } from './action.ts';
import type { JobRequest } from './job.ts';

export const fanoutJobName = 'metadata-fanout';

/** One channel's part. */
export interface FanoutMember {
  /** Derived from the cause: the same one is accepted once, whichever fan-out brings it. */
  readonly key: string;
  readonly channelArn: string;
  readonly decisionId: string;
  readonly streamId?: string | undefined;
  /** Where it is not that of the others. */
  readonly payload?: ActionParams<'put_metadata'>['payload'] | undefined;
}

/** The payload of the job: of one step of one rule. */
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

/** The fan-out that a job's id leads to, and which of its members it is; undefined for the id of any other job. */
export function memberOfJobId(jobId: string): { readonly fanoutId: string; readonly index: number } | undefined {
  const [, fanoutId, index] = /^(metadata-fanout-[0-9a-f]{24})-(0|[1-9]\d{0,5})$/.exec(jobId) ?? [];
  return fanoutId === undefined ? undefined : { fanoutId, index: Number(index) };
}

/** Whether a job is a fan-out, and not the word that a batch waits. */
export function isFanout({ name, payload }: Pick<JobRequest, 'name' | 'payload'>): boolean {
  return name === fanoutJobName && Array.isArray(payload['members']);
}

/** What a member would be as a job of its own. */
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

/** A committed job as one job for each channel; any other job as it is. */
export function apart(request: JobRequest): readonly JobRequest[] {
  if (!isFanout(request)) return [request];
  const fanout = request.payload as unknown as MetadataFanout;
  return fanout.members.map((member, index) => ({
    jobId: memberJobId(request.jobId, index),
    name: 'put_metadata',
    payload: { ...memberJob(fanout, member) },
  }));
}
