import type { ActionContext } from '../context.ts';
import { invalid } from '../errors.ts';
import { channelArn } from '../wire/fields.ts';
import { type Checked, structure, text } from '../wire/shape.ts';
import { findLive } from './lookup.ts';

export const putMetadataInput = structure({ channelArn, metadata: text({ min: 1 }) }, {});

/** Accepts one cue for a live stream. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_PutMetadata.html */
export function putMetadata(input: Checked<typeof putMetadataInput>, context: ActionContext): undefined {
  const most = context.settings.switches.metadataBytes;
  if (Buffer.byteLength(input.metadata) > most) throw invalid(`Metadata size exceeds payload limit of ${most} bytes`);
  const { streamId } = findLive(context, input.channelArn);
  context.recorder.cue({ at: context.clock.now(), ...input, streamId });
}
