// The settings of a channel, in answers of the API.
import { z } from 'zod';

/** What a channel has beside its name and tags, as AWS names it. */
export const channelSettings = {
  type: z.string(),
  latencyMode: z.string(),
  recordingConfigurationArn: z.string().describe('Empty: recording is off'),
  authorized: z
    .boolean()
    .optional()
    .describe('Playback needs a token. This and the next fields are omitted if IVS has not returned them'),
  insecureIngest: z.boolean().optional(),
  preset: z.string().optional(),
  playbackRestrictionPolicyArn: z.string().optional().describe('Empty: playback is not restricted'),
  adConfigurationArn: z.string().optional().describe('Empty: no ads'),
  containerFormat: z.string().optional(),
  multitrackInputConfiguration: z
    .object({
      enabled: z.boolean().optional(),
      policy: z.string().optional(),
      maximumResolution: z.string().optional(),
    })
    .optional(),
};
