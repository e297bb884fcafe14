import type { ActionContext } from '../context.ts';
import { pageMembers } from '../wire/fields.ts';
import { page } from '../wire/page.ts';
import { type Checked, structure } from '../wire/shape.ts';
import { adConfigurationView } from '../wire/views.ts';

export const listAdConfigurationsInput = structure({}, pageMembers(100));

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListAdConfigurations.html */
export function listAdConfigurations(
  input: Checked<typeof listAdConfigurationsInput>,
  { store, settings }: ActionContext,
) {
  const { items, nextToken } = page(store.adConfigurations.values(), input, {
    scope: 'ad-configurations',
    defaultSize: Math.min(100, settings.quotas.adConfigurations),
  });
  return { adConfigurations: items.map(adConfigurationView), nextToken };
}
