// Ad breaks that wait for their turn, of all accounts. Implements the port of routes/ad-breaks.ts.
import type { AdBreakRequest } from '#domain/action-memory.ts';
import { cancelAdBreak } from '#domain/ad-break-line.ts';
import { adBreakLeadMs } from '#domain/ad-breaks.ts';
import type { ChannelArn } from '#domain/channel.ts';
import { iso } from '#domain/duration.ts';
import type { StateView } from '#domain/shared-state.ts';
import { kinds } from '#domain/state-registry.ts';
import { nameOf } from '#streams/queries.ts';
import { refreshAll } from './refresh-all.ts';
import type { AdBreaksPort, AdBreakView } from './routes/ad-breaks.ts';
import { type TakeBackOptions, takeBack } from './take-back.ts';

export class AdBreaks implements AdBreaksPort {
  readonly #options: TakeBackOptions;

  constructor(options: TakeBackOptions) {
    this.#options = options;
  }

  async list(): Promise<AdBreakView[]> {
    await refreshAll(this.#options.shards);
    return this.#options.shards.all
      .flatMap(({ state: { view } }) =>
        Array.from(view.entries(kinds.adBreak), ([arn, request]) => adBreakView(view, arn, request)),
      )
      .toSorted((a, b) => a.at.localeCompare(b.at));
  }

  async cancel(channelArn: string, who: string): Promise<AdBreakView> {
    const cancelled = await takeBack(
      this.#options,
      { channelArn, who, missing: `no ad break waits for its turn on ${channelArn}` },
      (tx) => cancelAdBreak(tx, channelArn, who),
      ({ jobId, atMs, durationSeconds }) => ({
        what: 'cancel_ad_break',
        why: '',
        jobId,
        before: { at: iso(atMs), durationSeconds },
      }),
    );
    const { view } = this.#options.shards.ofChannel(channelArn).state;
    return adBreakView(view, channelArn as ChannelArn, cancelled);
  }
}

function adBreakView(view: StateView, channelArn: ChannelArn, request: AdBreakRequest): AdBreakView {
  const { state, atMs, durationSeconds, adBreakId, insertedMs, endsAtMs, jobId, cause } = request;
  const startsAtMs = (insertedMs ?? atMs) + adBreakLeadMs;
  return {
    channelArn,
    channelName: nameOf(view, channelArn),
    state,
    at: iso(atMs),
    startsAt: iso(startsAtMs),
    endsAt: iso(endsAtMs ?? startsAtMs + durationSeconds * 1000),
    durationSeconds,
    ...(adBreakId === undefined ? {} : { adBreakId }),
    jobId,
    by: cause.kind === 'operator' ? cause.who : `rule ${cause.rule}`,
  };
}
