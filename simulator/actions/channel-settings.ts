// What CreateChannel and UpdateChannel share: the members, and the rules between them.

import type { ActionContext } from '../context.ts';
import { invalid, notFound } from '../errors.ts';
import type { ChannelSettings, MultitrackInput } from '../store.ts';
import {
  adConfigurationArnOrEmpty,
  channelType,
  containerFormat,
  latencyMode,
  name,
  policyArnOrEmpty,
  preset,
  recordingArnOrEmpty,
} from '../wire/fields.ts';
import { type Checked, flag, oneOf, structure } from '../wire/shape.ts';
import { findAdConfiguration, findPlaybackRestrictionPolicy } from './lookup.ts';

const multitrackInput = structure(
  {},
  { enabled: flag, policy: oneOf('ALLOW', 'REQUIRE'), maximumResolution: oneOf('SD', 'HD', 'FULL_HD') },
);

export const settingMembers = {
  name,
  latencyMode,
  type: channelType,
  authorized: flag,
  recordingConfigurationArn: recordingArnOrEmpty,
  insecureIngest: flag,
  preset,
  playbackRestrictionPolicyArn: policyArnOrEmpty,
  multitrackInputConfiguration: multitrackInput,
  containerFormat,
  adConfigurationArn: adConfigurationArnOrEmpty,
};

const settingsInput = structure({}, settingMembers);
type SettingsInput = Checked<typeof settingsInput>;

export const NEW_CHANNEL: ChannelSettings = {
  name: '',
  latencyMode: 'LOW',
  type: 'STANDARD',
  authorized: false,
  insecureIngest: false,
  recordingConfigurationArn: '',
  playbackRestrictionPolicyArn: '',
  preset: '',
  containerFormat: 'TS',
  adConfigurationArn: '',
  multitrackInputConfiguration: { enabled: false, policy: 'ALLOW', maximumResolution: 'FULL_HD' },
};

/** The settings after `input` is applied to `before`, or the refusal that they cause. */
export function mergeSettings(before: ChannelSettings, input: SettingsInput, context: ActionContext): ChannelSettings {
  const { multitrackInputConfiguration: multitrack, preset: asked, ...plain } = input;
  const after: ChannelSettings = { ...before, ...plain };
  after.preset = presetFor(after.type, asked ?? before.preset, asked !== undefined);
  if (multitrack !== undefined) after.multitrackInputConfiguration = multitrackFor(multitrack);
  if (after.multitrackInputConfiguration.enabled) checkMultitrack(after);
  checkRecording(after.recordingConfigurationArn, context);
  if (after.playbackRestrictionPolicyArn !== '')
    findPlaybackRestrictionPolicy(context, after.playbackRestrictionPolicyArn);
  if (after.adConfigurationArn !== '') {
    findAdConfiguration(context, after.adConfigurationArn);
    if (after.containerFormat !== 'TS') throw invalid('an ad configuration requires containerFormat TS');
  }
  return after;
}

/** Presets belong to the ADVANCED types, which always have one; the other types read back the empty string. */
function presetFor(type: ChannelSettings['type'], preset: ChannelSettings['preset'], asked: boolean) {
  if (type === 'ADVANCED_HD' || type === 'ADVANCED_SD') return preset || 'HIGHER_BANDWIDTH_DELIVERY';
  if (asked && preset !== '')
    throw invalid(`preset is available only for the channel types ADVANCED_HD and ADVANCED_SD`);
  return '';
}

function multitrackFor(input: Checked<typeof multitrackInput>): MultitrackInput {
  if (input.enabled === true && (input.policy === undefined || input.maximumResolution === undefined)) {
    throw invalid('multitrackInputConfiguration: policy and maximumResolution are required when enabled is true');
  }
  return {
    enabled: input.enabled ?? false,
    policy: input.policy ?? 'ALLOW',
    maximumResolution: input.maximumResolution ?? 'FULL_HD',
  };
}

function checkMultitrack({ type, containerFormat }: ChannelSettings): void {
  if (type !== 'STANDARD') throw invalid('multitrack input can be enabled only for the channel type STANDARD');
  if (containerFormat !== 'FRAGMENTED_MP4') throw invalid('multitrack input requires containerFormat FRAGMENTED_MP4');
}

/** Only a configuration that became ACTIVE can be attached. */
function checkRecording(arn: string, { store, clock }: ActionContext): void {
  if (arn === '') return;
  const configuration = store.recordingConfigurations.get(arn);
  if (configuration === undefined) throw notFound(arn);
  const active = clock.now() >= configuration.settledAt && configuration.settledState === 'ACTIVE';
  if (!active) throw invalid(`Recording configuration: ${arn} is not in state ACTIVE`);
}
