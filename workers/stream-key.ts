// The key of a channel that nobody rotates: it is read and delivered, and created if there is none. In the end the channel has exactly one
// key, and that one was delivered.
import { AppError } from '#domain/errors.ts';
import type { SecretSink } from '#secrets/sink.ts';
import { createKey, readKey } from './key-calls.ts';
import { keyRecordOf } from './key-record.ts';
import type { Fence } from './lease.ts';
import type { HandlerContext, StreamKeyValue } from './ports.ts';

const maxRounds = 4;

/** Makes sure of one key and delivers it. Returns its ARN. @throws AppError KEY_UNSETTLED if somebody else changes keys meanwhile */
export async function deliverKey(
  context: HandlerContext,
  channelArn: string,
  {
    sink,
    fence,
    provisionId,
  }: { readonly sink: SecretSink | undefined; readonly fence: Fence; readonly provisionId: string },
): Promise<string> {
  const { ivs, signal } = context;
  let delivered: string | undefined;
  for (let round = 0; round < maxRounds; round += 1) {
    const [arn, ...more] = await ivs.listStreamKeys(channelArn, { signal });
    if (more.length > 0) throw new AppError('KEY_UNSETTLED', `${channelArn} has ${more.length + 1} stream keys`);
    if (arn !== undefined && (arn === delivered || !sink)) return arn;
    const key = arn === undefined ? await createKey(context, channelArn, fence) : await readKey(context, arn);
    if (!key || !sink) continue;
    using _hidden = context.hide(key.value);
    await context.progress('deliver', { keyArn: key.arn, sink: sink.description });
    await fence.renew();
    await sink.deliver({ kind: 'stream_key', value: key.value, keyArn: key.arn, channelArn }, signal);
    delivered = key.arn;
    await note(channelArn, { key, sink, fence, provisionId });
  }
  throw new AppError('KEY_UNSETTLED', `the keys of ${channelArn} changed ${maxRounds} times meanwhile`);
}

/** The key's age is known from here on. */
async function note(
  channelArn: string,
  {
    key,
    sink,
    fence,
    provisionId,
  }: { readonly key: StreamKeyValue; readonly sink: SecretSink; readonly fence: Fence; readonly provisionId: string },
): Promise<void> {
  await fence.commit((tx) => {
    const known = tx.get(keyRecordOf(channelArn));
    // A rotation that is under way has better information.
    if (known && known.finishedAtMs === undefined) return;
    const isKnown = known?.deliveredKeyArn === key.arn;
    tx.set(keyRecordOf(channelArn), {
      rotationId: provisionId,
      startedAtMs: isKnown ? known.startedAtMs : tx.nowMs,
      updatedAtMs: tx.nowMs,
      oldKeyArns: [],
      deliveredKeyArn: key.arn,
      deliveredAtMs: tx.nowMs,
      sink: sink.description,
      finishedAtMs: tx.nowMs,
      repairs: 0,
    });
  });
}
