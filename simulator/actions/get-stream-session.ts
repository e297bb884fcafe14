import type { ActionContext } from '../context.ts';
import { notFound, ServiceError } from '../errors.ts';
import { channelArn, streamId } from '../wire/fields.ts';
import { sessionView } from '../wire/session-view.ts';
import { type Checked, structure } from '../wire/shape.ts';
import { findSessions } from './lookup.ts';

export const getStreamSessionInput = structure({ channelArn }, { streamId });

/** One session, by default the newest. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_GetStreamSession.html */
export function getStreamSession(input: Checked<typeof getStreamSessionInput>, context: ActionContext) {
  const sessions = findSessions(context, input.channelArn);
  const session =
    input.streamId === undefined ? sessions[0] : sessions.find((item) => item.streamId === input.streamId);
  if (session === undefined) {
    if (input.streamId !== undefined) throw notFound(input.streamId);
    throw new ServiceError('ResourceNotFoundException', `Channel: ${input.channelArn} has no stream session`);
  }
  return { streamSession: sessionView(session, context) };
}
