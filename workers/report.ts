// report: what happened in the session, to a receiver or into files. First captures what IVS knows about the session, for the hints.
import { channelIdOf, isChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import { kinds, logs } from '#domain/state-registry.ts';
import { escapeSlack } from '#domain/visible-text.ts';
import { writeReport } from '#report/formats.ts';
import { gatherReport } from '#report/gather.ts';
import { reportSummary } from '#report/summary.ts';
import { keepCapture, readCapture } from './capture-session.ts';
import type { ActionHandler, HandlerContext } from './ports.ts';
import { channelOf, onlyIfFailsFresh, planned } from './preconditions.ts';
import { jsonOf, notificationOf, receiverNamed, sendToReceiver } from './receivers.ts';

/** Slack cuts a message after 40,000 characters. https://docs.slack.dev/reference/methods/chat.postMessage */
const mostSlackText = 38_000;

export const report: ActionHandler<'report'> = async (job, context) => {
  const channelArn = channelOf(job);
  if (!isChannelArn(channelArn)) throw new AppError('ACTION_NEEDS_CHANNEL', `${channelArn} is not a channel`);
  const { receiver: name, file, formats = ['md'] } = job.params;
  const receiver = name === undefined ? undefined : receiverNamed(context, name);
  const skip = await onlyIfFailsFresh(job, context);
  if (skip) return skip;
  const files = file === undefined ? [] : formats.map((format) => ({ format, path: `${file}.${format}` }));
  if (job.dryRun) {
    const toReceiver = receiver
      ? [`report ${receiver.name}: ${receiver.integrations.map(({ place }) => place).join(', ')}`]
      : [];
    return planned([...toReceiver, ...files.map(({ path }) => `write ${path}`)], undefined);
  }
  const streamId = job.streamId ?? context.state.view.get(kinds.stream.of(channelArn))?.streamId;
  if (streamId !== undefined) await captureIfMissing(context, channelArn, streamId);
  const made = await gatherReport(context.state, { channelArn, streamId });
  const written = Object.fromEntries(formats.map((format) => [format, writeReport(made, format).text]));
  for (const { format, path } of files) {
    await context.progress('write', { file: path });
    await context.writeFile(job, path, written[format]!);
  }
  const text = reportSummary(made);
  const sent = receiver
    ? await sendToReceiver(context, receiver, {
        notification: notificationOf(job, receiver.name, written['md'] ?? text),
        json: {
          ...jsonOf(context, { ...job, streamId }, receiver.name, text),
          report: { ...written, ...(formats.includes('json') ? { json: made } : {}) },
        },
        slackText: (written['md'] ?? escapeSlack(text)).slice(0, mostSlackText),
        decidedAtMs: job.decidedAtMs,
      })
    : 0;
  return {
    outcome: 'done',
    channel: channelIdOf(channelArn),
    streamId,
    ...(receiver ? { receiver: receiver.name, sent } : {}),
    ...(files.length > 0 ? { files: files.map(({ path }) => path) } : {}),
  };
};

/** A report without hints is better than none: what IVS has not returned after the last attempt is left out. */
async function captureIfMissing(context: HandlerContext, channelArn: string, streamId: string): Promise<void> {
  const captures = await context.state.readLog(logs.captures, { limit: 2_000 });
  if (captures.some(({ entry }) => entry.channelArn === channelArn && entry.streamId === streamId)) return;
  try {
    const capture = await readCapture(context, channelArn, streamId);
    await context.state.transact((tx) => keepCapture(tx, capture, context.jobId));
  } catch (error) {
    const isLasting = error instanceof AppError && error.disposition.kind === 'give-up';
    if (!isLasting && !context.lastAttempt) throw error;
    context.logger.warn({ err: error, channelArn, streamId }, 'the session could not be captured for its report');
  }
}
