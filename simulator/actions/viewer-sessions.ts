// What the two revocations share: whom they name, and what happens to that viewer.

import type { ActionContext } from '../context.ts';
import { channelArn } from '../wire/fields.ts';
import { type Checked, integer, structure, text } from '../wire/shape.ts';
import { findChannel } from './lookup.ts';

/** The largest version that a token's 64-bit claim and a JSON number can both hold. */
const LARGEST_VERSION = Number.MAX_SAFE_INTEGER;

export const viewerSession = structure(
  { channelArn, viewerId: text({ min: 1, max: 40 }) },
  { viewerSessionVersionsLessThanOrEqualTo: integer(0, LARGEST_VERSION) },
);

/** Ends the sessions that this viewer began with tokens up to the version. Throws if there is no such channel. */
export function revoke(input: Checked<typeof viewerSession>, context: ActionContext): void {
  const channel = findChannel(context, input.channelArn);
  const { viewerId, viewerSessionVersionsLessThanOrEqualTo: version = 0 } = input;
  context.ingest.revokeViewer(channel, viewerId, version);
  context.recorder.revocation({ at: context.clock.now(), channelArn: channel.arn, viewerId, version });
}
