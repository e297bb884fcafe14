// The audit of stream keys: every channel must have exactly one, and its age must be known. Known keys are read fifty at a time
// (BatchGetStreamKey); keys are listed only for a channel whose key is unknown or gone.
import type { ChannelArn } from '#domain/channel.ts';
import { AppError } from '#domain/errors.ts';
import type { KeyFinding } from '#domain/observation.ts';
import type { StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { type Clock, sleepOrAbort } from '#runtime/clock.ts';
import type { KeyReader, Observe } from '../ports.ts';

export interface KeyAuditOptions {
  readonly reader: KeyReader;
  readonly observe: Observe;
  readonly view: StateView;
  readonly now: () => number;
  /** What the listing of keys waits for; left out: it never waits. */
  readonly yieldsTo?: { readonly isSending: () => boolean; readonly clock: Clock } | undefined;
}

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_BatchGetStreamKey.html */
const mostInBatch = 50;
/** Most channels whose keys one run lists, so that the first audit of a large fleet does not outlast its job; the next run continues. */
const mostListed = 1_000;
/** Findings, and channels that are gone, that are committed together. */
const committedTogether = 25;
const callWaitMs = 30_000;
/**
 * The first audit of a large fleet lists keys for minutes. While this process sends metadata, that waits, since an incident needs the CPU
 * first; but in all only so long in one run, so that a daemon which always sends is audited too.
 */
const yielding = { stepMs: 1_000, mostSteps: 120 };
/** Errors about one channel that say nothing about the others. */
const oddCodes: ReadonlySet<string> = new Set(['IVS_ANSWER_INVALID', 'IVS_REQUEST_INVALID']);

/**
 * Audits the keys of every channel of the inventory; resolves with what was found once it is committed. `listedTo`: the channel after
 * which the next run continues listing (`after`); undefined: all have been listed.
 * @throws AppError if a call failed; earlier findings stay. An unusable answer is thrown only after all others were read
 */
export async function auditKeys(
  { reader, observe, view, now, yieldsTo }: KeyAuditOptions,
  signal: AbortSignal,
  after = '',
): Promise<{ readonly channels: number; readonly listedTo: ChannelArn | undefined }> {
  const call = { lane: 'bulk', signal, waitMs: callWaitMs } as const;
  const known: { readonly channelArn: ChannelArn; readonly keyArn: string }[] = [];
  const unknown: ChannelArn[] = [];
  for (const [channelArn] of view.entries(kinds.channel)) {
    const key = view.get(kinds.streamKey.of(channelArn));
    if (key) known.push({ channelArn, keyArn: key.keyArn });
    else unknown.push(channelArn);
  }
  const gone = Array.from(view.entries(kinds.streamKey), ([arn]) => arn).filter(
    (arn) => view.get(kinds.channel.of(arn)) === undefined,
  );
  for (let from = 0; from < gone.length; from += committedTogether)
    await observe({ kind: 'keys', channels: [], gone: gone.slice(from, from + committedTogether), atMs: now() });
  let odd: AppError | undefined;
  const usable = async <T>(answer: Promise<T>): Promise<T | undefined> => {
    try {
      return await answer;
    } catch (error) {
      if (!(error instanceof AppError) || !oddCodes.has(error.code)) throw error;
      odd ??= error;
      return undefined;
    }
  };
  let channels = 0;
  for (let from = 0; from < known.length; from += mostInBatch) {
    const batch = known.slice(from, from + mostInBatch);
    const readAtMs = now();
    const keyArns = batch.map(({ keyArn }) => keyArn);
    const found = await usable(reader.getStreamKeys(keyArns, call));
    if (!found) continue;
    const there = new Map(found.keys.map(({ arn, channelArn }) => [arn, channelArn]));
    const missing = new Set(found.missing);
    const findings: KeyFinding[] = [];
    for (const { channelArn, keyArn } of batch) {
      // A key that is neither found nor missing could not be read, which says nothing.
      if (there.get(keyArn) === channelArn) findings.push({ channelArn, keyArns: [keyArn], readAtMs });
      else if (missing.has(keyArn)) unknown.push(channelArn);
    }
    channels += findings.length;
    // Usually nothing has changed, and then nothing is committed.
    const news = findings.filter((finding) => isNews(view, finding));
    if (news.length > 0) await observe({ kind: 'keys', channels: news, gone: [], atMs: now() });
  }
  let findings: KeyFinding[] = [];
  const commit = async () => {
    if (findings.length > 0) await observe({ kind: 'keys', channels: findings, gone: [], atMs: now() });
    channels += findings.length;
    findings = [];
  };
  // In order, so that channels without a key are not listed again in place of those after them.
  const waiting = unknown.filter((arn) => arn > after).toSorted();
  const listed = waiting.slice(0, mostListed);
  let stepsLeft = yielding.mostSteps;
  for (const channelArn of listed) {
    for (; yieldsTo?.isSending() && stepsLeft > 0 && !signal.aborted; stepsLeft -= 1)
      await sleepOrAbort(yieldsTo.clock, yielding.stepMs, signal);
    const readAtMs = now();
    const keyArns = await usable(reader.listStreamKeys(channelArn, call));
    // A deleted channel is for the inventory to report.
    if (keyArns !== undefined) findings.push({ channelArn, keyArns, readAtMs });
    if (findings.length >= committedTogether) await commit();
  }
  await commit();
  if (odd) throw odd;
  return { channels, listedTo: waiting.length > mostListed ? listed.at(-1) : undefined };
}

/** Whether a finding ends an alert, or gives a key its date. */
function isNews(view: StateView, { channelArn, keyArns }: KeyFinding): boolean {
  const rotation = view.get(kinds.key.of(channelArn));
  const known = view.get(kinds.streamKey.of(channelArn));
  return (
    view.get(kinds.alert.of('keyless', channelArn)) !== undefined ||
    (rotation?.finishedAtMs !== undefined && rotation.deliveredKeyArn === keyArns[0] && known?.made !== true)
  );
}
