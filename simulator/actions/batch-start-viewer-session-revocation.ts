import type { ActionContext } from '../context.ts';
import { asServiceError } from '../errors.ts';
import { type Checked, list, structure } from '../wire/shape.ts';
import { revoke, viewerSession } from './viewer-sessions.ts';

export const batchStartViewerSessionRevocationInput = structure(
  { viewerSessions: list(viewerSession, { min: 1, max: 20 }) },
  {},
);

/** An item that fails has an entry in `errors`; the others are done. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_BatchStartViewerSessionRevocation.html */
export function batchStartViewerSessionRevocation(
  input: Checked<typeof batchStartViewerSessionRevocationInput>,
  context: ActionContext,
) {
  const errors = input.viewerSessions.flatMap((item) => {
    try {
      revoke(item, context);
      return [];
    } catch (error) {
      const { name: code, message } = asServiceError(error);
      return [{ channelArn: item.channelArn, viewerId: item.viewerId, code, message }];
    }
  });
  return { errors };
}
