import type { ActionContext } from '../context.ts';
import { byArn, recordingArn } from '../wire/fields.ts';
import { recordingView } from '../wire/recording-view.ts';
import type { Checked } from '../wire/shape.ts';
import { findRecordingConfiguration } from './lookup.ts';

export const getRecordingConfigurationInput = byArn(recordingArn);

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_GetRecordingConfiguration.html */
export const getRecordingConfiguration = (
  input: Checked<typeof getRecordingConfigurationInput>,
  context: ActionContext,
) => ({ recordingConfiguration: recordingView(findRecordingConfiguration(context, input.arn), context.clock.now()) });
