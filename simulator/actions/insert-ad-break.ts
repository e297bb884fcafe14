import type { ActionContext } from '../context.ts';
import { conflict, invalid } from '../errors.ts';
import { adBreakSeconds, channelArn } from '../wire/fields.ts';
import { type Checked, structure } from '../wire/shape.ts';
import { findLive } from './lookup.ts';

export const insertAdBreakInput = structure({ channelArn, durationSeconds: adBreakSeconds }, {});

/** One at a time; not idempotent. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_InsertAdBreak.html */
export function insertAdBreak(input: Checked<typeof insertAdBreakInput>, context: ActionContext) {
  const session = findLive(context, input.channelArn);
  if (session.channel.adConfigurationArn === '') {
    throw invalid(`Channel: ${input.channelArn} has no ad configuration`);
  }
  if (context.ingest.adBreak(session) !== undefined) {
    throw conflict(`Channel: ${input.channelArn} has an ad break in progress`);
  }
  return { adBreakId: context.ingest.insertAdBreak(session, input.durationSeconds).id };
}
