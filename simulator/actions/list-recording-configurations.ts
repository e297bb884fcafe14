import type { ActionContext } from '../context.ts';
import { pageMembers } from '../wire/fields.ts';
import { page } from '../wire/page.ts';
import { recordingSummary } from '../wire/recording-view.ts';
import { type Checked, structure } from '../wire/shape.ts';

export const listRecordingConfigurationsInput = structure({}, pageMembers(100));

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListRecordingConfigurations.html */
export function listRecordingConfigurations(
  input: Checked<typeof listRecordingConfigurationsInput>,
  { store, settings, clock }: ActionContext,
) {
  const { items, nextToken } = page(store.recordingConfigurations.values(), input, {
    scope: 'recording-configurations',
    defaultSize: Math.min(100, settings.quotas.recordingConfigurations),
  });
  const now = clock.now();
  return { recordingConfigurations: items.map((item) => recordingSummary(item, now)), nextToken };
}
