// The constraints that several operations share: ARNs, names, tags, page arguments. Values from AWS's public model.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_Types.html

import { invalid } from '../errors.ts';
import { type Check, checked, integer, list, map, oneOf, structure, text } from './shape.ts';

const arn = (kind: string, min: number) =>
  text({ min, max: 128, pattern: new RegExp(`^arn:aws:ivs:[a-z0-9-]+:[0-9]+:${kind}/[a-zA-Z0-9-]+$`) });

/** An ARN, or the empty string, which turns the setting off. */
const arnOrEmpty = (kind: string) =>
  text({ max: 128, pattern: new RegExp(`^$|^arn:aws:ivs:[a-z0-9-]+:[0-9]+:${kind}/[a-zA-Z0-9-]+$`) });

export const channelArn = arn('channel', 1);
export const streamKeyArn = arn('stream-key', 1);
export const playbackKeyArn = arn('playback-key', 1);
export const recordingArn = arn('recording-configuration', 0);
export const policyArn = arn('playback-restriction-policy', 1);
export const adConfigurationArn = arn('ad-configuration', 1);
export const recordingArnOrEmpty = arnOrEmpty('recording-configuration');
export const policyArnOrEmpty = arnOrEmpty('playback-restriction-policy');
export const adConfigurationArnOrEmpty = arnOrEmpty('ad-configuration');
/** The published pattern lacks the `+` after the resource type and would refuse every real ARN. */
export const resourceArn = arn('[a-z-]+', 1);

export const name = text({ max: 128, pattern: /^[a-zA-Z0-9-_]*$/ });
export const streamId = text({ min: 26, max: 26, pattern: /^st-[a-zA-Z0-9]+$/ });

export const TAGS_PER_RESOURCE = 50;
const anyTagKey = text({ min: 1, max: 128, pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u });
const tagKey = checked(anyTagKey.shape, (value, place) => {
  const key = anyTagKey(value, place);
  if (/^aws:/i.test(key)) throw invalid(`${place}: tag keys that begin with aws: are reserved`);
  return key;
});
const tagValue = text({ max: 256, pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u });
export const tags = map(tagKey, tagValue, TAGS_PER_RESOURCE);
export const tagKeys = list(anyTagKey, { max: TAGS_PER_RESOURCE });

/** The length of an ad break, in seconds. */
export const adBreakSeconds = integer(1, 300);

export const latencyMode = oneOf('NORMAL', 'LOW');
export const channelType = oneOf('BASIC', 'STANDARD', 'ADVANCED_SD', 'ADVANCED_HD');
export const containerFormat = oneOf('TS', 'FRAGMENTED_MP4');
/** The empty string is what a STANDARD channel returns, so it must be possible to send it back. */
export const preset = oneOf('HIGHER_BANDWIDTH_DELIVERY', 'CONSTRAINED_BANDWIDTH_DELIVERY', '');
export const health = oneOf('HEALTHY', 'STARVING', 'UNKNOWN');

export const nextToken = text({ max: 1024, pattern: /^[a-zA-Z0-9+/=_-]*$/ });

/** The two members every list operation takes. */
export const pageMembers = (maxResults: number) => ({ nextToken, maxResults: integer(1, maxResults) });

/** The input of an operation that takes one ARN called `arn`. */
export const byArn = <T>(check: Check<T>) => structure({ arn: check }, {});

/** The input of an operation that takes one channel ARN called `channelArn`. */
export const byChannelArn = structure({ channelArn }, {});
