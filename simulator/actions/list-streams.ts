import type { ActionContext } from '../context.ts';
import { health, pageMembers } from '../wire/fields.ts';
import { page } from '../wire/page.ts';
import { type Checked, structure } from '../wire/shape.ts';
import { streamSummary } from '../wire/views.ts';

export const listStreamsInput = structure({}, { filterBy: structure({}, { health }), ...pageMembers(100) });

/** Live streams only. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListStreams.html */
export function listStreams(input: Checked<typeof listStreamsInput>, { ingest, clock }: ActionContext) {
  const wanted = input.filterBy?.health;
  const streams = ingest.sessions.allLive().filter((session) => wanted === undefined || session.health === wanted);
  const { items, nextToken } = page(streams, input, { scope: `streams ${wanted ?? ''}`, defaultSize: 100 });
  const now = clock.now();
  return { streams: items.map((session) => streamSummary(session, now)), nextToken };
}
