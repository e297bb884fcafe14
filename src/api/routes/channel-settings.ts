// The settings of a channel, in responses of the API.
import { z } from 'zod';

/** A channel's settings besides its name and tags, named as in AWS. */
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
