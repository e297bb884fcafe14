import type { ActionContext } from '../context.ts';
import { channelArn, pageMembers } from '../wire/fields.ts';
import { page } from '../wire/page.ts';
import { sessionSummary } from '../wire/session-view.ts';
import { type Checked, structure } from '../wire/shape.ts';
import { findSessions } from './lookup.ts';

export const listStreamSessionsInput = structure({ channelArn }, pageMembers(100));

/** Newest first. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_ListStreamSessions.html */
export function listStreamSessions(input: Checked<typeof listStreamSessionsInput>, context: ActionContext) {
  // Counted downwards, so that a session that begins between two pages shifts nothing.
  const sessions = findSessions(context, input.channelArn).map((session) => ({ seq: -session.created, session }));
  const { items, nextToken } = page(sessions, input, { scope: `sessions ${input.channelArn}`, defaultSize: 100 });
  return { streamSessions: items.map(({ session }) => sessionSummary(session)), nextToken };
}
