// ensure_recording_configuration: makes sure that a recording configuration with this name exists, writes to this bucket and is ACTIVE. An
// existing one is never changed: IVS has no call for it.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreateRecordingConfiguration.html
import type { ActionJob } from '#domain/action.ts';
import { AppError } from '#domain/errors.ts';
import { withLease } from './lease.ts';
import type { ActionHandler, HandlerContext, HandlerResult, RecordingConfiguration } from './ports.ts';
import { onlyIfFailsFresh, planned } from './preconditions.ts';
import { assertActive } from './recording-configuration.ts';

const lookEveryMs = 2_000;
const mostLooks = 30;

type Job = ActionJob<'ensure_recording_configuration'>;

export const ensureRecordingConfiguration: ActionHandler<'ensure_recording_configuration'> = async (job, context) => {
  const skip = await onlyIfFailsFresh(job, context);
  if (skip) return skip;
  if (job.dryRun) {
    const found = await find(job, context);
    if (found) assertActive(found);
    const { name, bucket } = job.params;
    const create = `CreateRecordingConfiguration ${name} bucket=${bucket}`;
    return planned(found ? [] : [create, 'wait until it is ACTIVE'], stateOf(found));
  }
  return withLease(context, `recording-configuration|${job.params.name}`, async (fence) => {
    const found = await find(job, context);
    context.check('recording_configuration', found === undefined, {
      asked: { name: job.params.name, exists: false },
      found: { arn: found?.arn ?? null, state: found?.state ?? null },
    });
    if (found) {
      assertActive(found);
      return { outcome: 'already_done', reason: 'active', arn: found.arn, before: stateOf(found) };
    }
    return create(job, context, () => fence.renew());
  });
};

/** Creates it and waits until it is ACTIVE; if that takes longer, the job runs again. */
async function create(job: Job, context: HandlerContext, renew: () => Promise<void>): Promise<HandlerResult> {
  const { ivs, signal } = context;
  const { name, bucket, reconnect_window_seconds: reconnectWindowSeconds, tags } = job.params;
  await context.progress('create_recording_configuration', { name, bucket });
  await renew();
  const { arn } = await ivs.createRecordingConfiguration(
    {
      name,
      bucketName: bucket,
      ...(reconnectWindowSeconds === undefined ? {} : { reconnectWindowSeconds }),
      ...(tags === undefined ? {} : { tags }),
    },
    { signal },
  );
  await context.progress('wait_until_active', { arn });
  let made = await ivs.getRecordingConfiguration(arn, { signal });
  for (let looks = 1; made.state === 'CREATING' && looks < mostLooks; looks += 1) {
    await context.clock.sleep(lookEveryMs, signal);
    await renew();
    made = await ivs.getRecordingConfiguration(arn, { signal });
  }
  assertActive(made);
  return { outcome: 'done', arn, before: stateOf(undefined), after: stateOf(made) };
}

/** The one with this name. @throws AppError RECORDING_CONFIGURATION_AMBIGUOUS, RECORDING_CONFIGURATION_DIFFERS */
async function find(job: Job, { ivs, signal }: HandlerContext): Promise<RecordingConfiguration | undefined> {
  const { name, bucket } = job.params;
  const [found, ...more] = (await ivs.listRecordingConfigurations({ signal })).filter((each) => each.name === name);
  if (more.length > 0)
    throw new AppError(
      'RECORDING_CONFIGURATION_AMBIGUOUS',
      `"${name}" is the name of ${[found, ...more].map((each) => each?.arn).join(', ')}: retire all but one`,
    );
  if (found && found.bucketName !== bucket)
    throw new AppError(
      'RECORDING_CONFIGURATION_DIFFERS',
      `the recording configuration ${name} (${found.arn}) writes to the bucket ${found.bucketName}, not to ${bucket}`,
    );
  return found;
}

function stateOf(found: RecordingConfiguration | undefined): object {
  return found ? { arn: found.arn, state: found.state, bucketName: found.bucketName } : { exists: false };
}
