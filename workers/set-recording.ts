// set_recording: makes a channel record with a configuration, or not at all.
import { kinds } from '#domain/state-registry.ts';
import { channelSettingHandler } from './channel-setting.ts';
import { assertActive, findRecordingConfiguration } from './recording-configuration.ts';

export const setRecording = channelSettingHandler<'set_recording'>({
  member: 'recordingConfigurationArn',
  check: 'recording',
  memory: kinds.recording,
  async resolve({ configuration: wanted }, context) {
    if (wanted === 'none') return '';
    await context.progress('find_configuration', { configuration: wanted });
    const configuration = await findRecordingConfiguration(wanted, context);
    const { state, arn } = configuration;
    const compared = { asked: { state: 'ACTIVE' }, found: { state, arn } };
    context.check('recording_configuration', state === 'ACTIVE', compared);
    assertActive(configuration);
    return arn;
  },
  summary: ({ configuration }, arn) => (arn === '' ? 'recording off' : `record with ${configuration}`),
});
