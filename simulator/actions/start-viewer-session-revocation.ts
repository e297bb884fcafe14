import type { ActionContext } from '../context.ts';
import type { Checked } from '../wire/shape.ts';
import { revoke, viewerSession } from './viewer-sessions.ts';

export const startViewerSessionRevocationInput = viewerSession;

/** Accepted for any channel and viewer. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_StartViewerSessionRevocation.html */
export function startViewerSessionRevocation(
  input: Checked<typeof startViewerSessionRevocationInput>,
  context: ActionContext,
) {
  revoke(input, context);
  return {};
}
