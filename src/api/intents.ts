// Intents, and the age of the keys that were rotated here. Implements the port of routes/intents.ts.
import type { Intent, IntentKind } from '#domain/action-memory.ts';
import type { ChannelArn } from '#domain/channel.ts';
import { iso } from '#domain/duration.ts';
import { nameOf } from '#streams/queries.ts';
import { cancelIntent, intentsOf } from '#workers/intents.ts';
import { keyAges } from '#workers/key-record.ts';
import { refreshAll } from './refresh-all.ts';
import type { IntentsPort, IntentView, KeyAgeView } from './routes/intents.ts';
import { type TakeBackOptions, takeBack } from './take-back.ts';

export class Intents implements IntentsPort {
  readonly #options: TakeBackOptions;

  constructor(options: TakeBackOptions) {
    this.#options = options;
  }

  async intents(): Promise<IntentView[]> {
    await refreshAll(this.#options.shards);
    return this.#options.shards.all.flatMap(({ state }) => intentsOf(state.view).map((intent) => this.#view(intent)));
  }

  async cancel(kind: IntentKind, channelArn: string, who: string): Promise<IntentView> {
    const intent = await takeBack(
      this.#options,
      { channelArn, who, missing: `no ${kind} waits on ${channelArn}` },
      (tx) => cancelIntent(tx, kind, channelArn),
      ({ summary }) => ({ what: 'cancel_intent', why: summary, before: { intent: summary } }),
    );
    return this.#view(intent);
  }

  #view(intent: Intent): IntentView {
    const names = this.#options.shards.all.map(({ state }) => nameOf(state.view, intent.channelArn as ChannelArn));
    return intentView(intent, names.find((name) => name !== '') ?? '');
  }

  async keyAges(): Promise<KeyAgeView[]> {
    await refreshAll(this.#options.shards);
    return this.#options.shards.all.flatMap(({ state }) =>
      keyAges(state.view).map(({ channelArn, sinceMs, made, deliveredTo }) => ({
        channelArn,
        channelName: nameOf(state.view, channelArn as ChannelArn),
        since: iso(sinceMs),
        exact: made,
        ageDays: Math.round((state.nowMs() - sinceMs) / 8_640_000) / 10,
        ...(made ? { rotatedAt: iso(sinceMs) } : {}),
        ...(deliveredTo === undefined ? {} : { deliveredTo }),
      })),
    );
  }
}

function intentView(
  { id, kind, channelArn, summary, sinceMs, job, replaced, releasedAtMs }: Intent,
  channelName: string,
): IntentView {
  return {
    id,
    kind,
    channelArn,
    channelName,
    summary,
    since: iso(sinceMs),
    cause: job.cause,
    replaced,
    ...(releasedAtMs === undefined ? {} : { releasedAt: iso(releasedAtMs) }),
  };
}
