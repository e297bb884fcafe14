// Finds the recording configuration that a rule or a person named by ARN, name or bucket, and checks whether it can be used.
import { AppError } from '#domain/errors.ts';
import type { HandlerContext, RecordingConfiguration } from './ports.ts';
import { isCode } from './preconditions.ts';

const arnPattern = /^arn:aws:ivs:[a-z0-9-]+:[0-9]+:recording-configuration\/[a-zA-Z0-9-]+$/;

/** The configuration with this name, ARN or bucket. @throws AppError RECORDING_CONFIGURATION_UNKNOWN, …_AMBIGUOUS */
export async function findRecordingConfiguration(
  wanted: string,
  { ivs, signal }: Pick<HandlerContext, 'ivs' | 'signal'>,
): Promise<RecordingConfiguration> {
  if (arnPattern.test(wanted)) {
    try {
      return await ivs.getRecordingConfiguration(wanted, { signal });
    } catch (error) {
      if (!isCode(error, 'IVS_NOT_FOUND')) throw error;
      throw new AppError('RECORDING_CONFIGURATION_UNKNOWN', `there is no recording configuration ${wanted}`);
    }
  }
  const all = await ivs.listRecordingConfigurations({ signal });
  const byName = all.filter(({ name }) => name === wanted);
  const found = byName.length > 0 ? byName : all.filter(({ bucketName }) => bucketName === wanted);
  if (found.length > 1) {
    const arns = found.map(({ arn }) => arn).join(', ');
    throw new AppError('RECORDING_CONFIGURATION_AMBIGUOUS', `"${wanted}" may be any of ${arns}: give the ARN`);
  }
  if (found.length === 0) {
    const known = all.map(({ name, arn, bucketName }) => `${name || arn} (bucket ${bucketName})`).join(', ') || 'none';
    throw new AppError(
      'RECORDING_CONFIGURATION_UNKNOWN',
      `no recording configuration has the name or bucket "${wanted}"; there are: ${known}`,
    );
  }
  return found[0]!;
}

/** Only an ACTIVE configuration records. @throws AppError RECORDING_CONFIGURATION_FAILED or …_CREATING */
export function assertActive({ arn, name, state, bucketName }: RecordingConfiguration): void {
  const label = name ? `${name} (${arn})` : arn;
  if (state === 'CREATE_FAILED') {
    const region = arn.split(':')[3];
    throw new AppError(
      'RECORDING_CONFIGURATION_FAILED',
      `recording configuration ${label} is CREATE_FAILED: its bucket ${bucketName} must exist, in ${region}, and belong to the same account`,
      { details: { arn, state, bucketName } },
    );
  }
  if (state !== 'ACTIVE') {
    throw new AppError('RECORDING_CONFIGURATION_CREATING', `recording configuration ${label} is still ${state}`, {
      disposition: { kind: 'retry-after', delayMs: 5_000 },
    });
  }
}
