import type { ActionContext } from '../context.ts';
import { invalid, quotaExceeded } from '../errors.ts';
import type { RecordingConfiguration } from '../store.ts';
import { name, tags } from '../wire/fields.ts';
import { recordingView } from '../wire/recording-view.ts';
import { type Checked, integer, list, oneOf, structure, text } from '../wire/shape.ts';

const rendition = oneOf('SD', 'HD', 'FULL_HD', 'LOWEST_RESOLUTION');
const bucketName = text({ min: 3, max: 63, pattern: /^[a-z0-9-.]+$/ });
const thumbnails = structure(
  {},
  {
    recordingMode: oneOf('INTERVAL', 'DISABLED'),
    targetIntervalSeconds: integer(1, 60),
    resolution: rendition,
    storage: list(oneOf('SEQUENTIAL', 'LATEST')),
  },
);
const renditions = structure({}, { renditionSelection: oneOf('ALL', 'NONE', 'CUSTOM'), renditions: list(rendition) });

export const createRecordingConfigurationInput = structure(
  { destinationConfiguration: structure({}, { s3: structure({ bucketName }, {}) }) },
  {
    name,
    tags,
    thumbnailConfiguration: thumbnails,
    recordingReconnectWindowSeconds: integer(0, 300),
    renditionConfiguration: renditions,
  },
);

type Input = Checked<typeof createRecordingConfigurationInput>;

/** CREATING at first; a bucket in another Region ends as CREATE_FAILED. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_CreateRecordingConfiguration.html */
export function createRecordingConfiguration(input: Input, { store, ids, settings, clock }: ActionContext) {
  const { s3 } = input.destinationConfiguration;
  if (s3 === undefined) throw invalid('destinationConfiguration: s3 is required');
  const { bucketName } = s3;
  const { renditionSelection = 'ALL', renditions } = input.renditionConfiguration ?? {};
  if (renditionSelection === 'CUSTOM' && (renditions ?? []).length === 0) {
    throw invalid('renditionConfiguration: renditions are required when renditionSelection is CUSTOM');
  }
  const elsewhere = (store.buckets.get(bucketName)?.region ?? settings.region) !== settings.region;
  if (elsewhere && settings.switches.foreignBucket === 'validation-error') {
    throw invalid(`Bucket: ${bucketName} is not in region ${settings.region}`);
  }
  const most = settings.quotas.recordingConfigurations;
  if (store.recordingConfigurations.size >= most) {
    throw quotaExceeded(`Quota exceeded: an account can have ${most} recording configurations`);
  }
  const configuration: RecordingConfiguration = {
    seq: store.nextSeq(),
    arn: ids.arn('recording-configuration', ids.resource()),
    name: input.name ?? '',
    tags: new Map(input.tags),
    bucketName,
    recordingReconnectWindowSeconds: input.recordingReconnectWindowSeconds ?? 0,
    thumbnailConfiguration: thumbnailsOf(input.thumbnailConfiguration),
    renditionConfiguration: { renditionSelection, ...(renditions === undefined ? {} : { renditions }) },
    settledAt: clock.now() + settings.timings.recordingConfigurationMs,
    settledState: elsewhere ? 'CREATE_FAILED' : 'ACTIVE',
  };
  store.recordingConfigurations.set(configuration.arn, configuration);
  return { recordingConfiguration: { ...recordingView(configuration, clock.now()), state: 'CREATING' } };
}

/** Interval and storage matter only while thumbnails are recorded. */
function thumbnailsOf(given: Input['thumbnailConfiguration'] = {}): RecordingConfiguration['thumbnailConfiguration'] {
  if (given.recordingMode === 'DISABLED') return { ...given, recordingMode: 'DISABLED' };
  return { targetIntervalSeconds: 60, storage: ['SEQUENTIAL'], ...given, recordingMode: 'INTERVAL' };
}
