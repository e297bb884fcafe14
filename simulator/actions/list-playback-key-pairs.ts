import type { ActionContext } from '../context.ts';
import { pageMembers } from '../wire/fields.ts';
import { page } from '../wire/page.ts';
import { type Checked, structure } from '../wire/shape.ts';
import { keyPairSummary } from '../wire/views.ts';

export const listPlaybackKeyPairsInput = structure({}, pageMembers(100));

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListPlaybackKeyPairs.html */
export function listPlaybackKeyPairs(
  input: Checked<typeof listPlaybackKeyPairsInput>,
  { store, settings }: ActionContext,
) {
  const { items, nextToken } = page(store.playbackKeyPairs.values(), input, {
    scope: 'playback-key-pairs',
    defaultSize: Math.min(100, settings.quotas.playbackKeyPairs),
  });
  return { keyPairs: items.map(keyPairSummary), nextToken };
}
