// The form of recording configurations in answers. The state depends on the time of the request.

import type { RecordingConfiguration } from '../store.ts';
import { tagsView } from './views.ts';

export const recordingSummary = (configuration: RecordingConfiguration, now: number) => ({
  arn: configuration.arn,
  name: configuration.name,
  destinationConfiguration: { s3: { bucketName: configuration.bucketName } },
  state: now >= configuration.settledAt ? configuration.settledState : 'CREATING',
  tags: tagsView(configuration.tags),
});

export const recordingView = (configuration: RecordingConfiguration, now: number) => ({
  ...recordingSummary(configuration, now),
  thumbnailConfiguration: configuration.thumbnailConfiguration,
  recordingReconnectWindowSeconds: configuration.recordingReconnectWindowSeconds,
  renditionConfiguration: configuration.renditionConfiguration,
});
