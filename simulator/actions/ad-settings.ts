// What CreateAdConfiguration and UpdateAdConfiguration share: the members, and the check of what they refer to.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/server-side-ad-insertion.html

import { invalid, notFound } from '../errors.ts';
import type { Store } from '../store.ts';
import { adBreakSeconds, name } from '../wire/fields.ts';
import { type Checked, flag, list, structure, text } from '../wire/shape.ts';

const playbackConfigurationArn = text({
  max: 128,
  pattern: /^arn:aws:mediatailor:[a-z0-9-]+:[0-9]+:playbackConfiguration\/[a-zA-Z0-9-]+$/,
});

export const playbackConfigurations = list(structure({}, { playbackConfigurationArn }), { min: 1, max: 3 });

export const adMembers = {
  name,
  postRollConfiguration: structure({ durationSeconds: adBreakSeconds, enabled: flag }, {}),
};

/** The prefix of a channel's playback URL, and nothing after it. */
const PLAYBACK_PREFIX = /^https:\/\/[a-z0-9]+\.[a-z0-9-]+\.playback\.live-video\.net\/$/;

/** The ARNs of the playback configurations, each of which must exist and have a channel's playback prefix as its source. */
export function playbackConfigurationArns(input: Checked<typeof playbackConfigurations>, store: Store): string[] {
  return input.map(({ playbackConfigurationArn: arn }) => {
    if (arn === undefined) throw invalid('mediaTailorPlaybackConfigurations: playbackConfigurationArn is required');
    const known = store.playbackConfigurations.get(arn);
    if (known?.missing === true) throw notFound(arn);
    if (known?.contentSource !== undefined && !PLAYBACK_PREFIX.test(known.contentSource)) {
      throw invalid(`Playback configuration: ${arn} does not have an IVS playback URL prefix as its content source`);
    }
    return arn;
  });
}
