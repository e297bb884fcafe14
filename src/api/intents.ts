// Actions that wait for the end of a stream, and how old the keys are that were rotated here. Meets the port of routes/intents.ts.
import type { Intent, IntentKind } from '#domain/action-memory.ts';
import { iso } from '#domain/duration.ts';
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
    return this.#options.shards.all.flatMap(({ state }) => intentsOf(state.view).map(intentView));
  }

  async cancel(kind: IntentKind, channelArn: string, who: string): Promise<IntentView> {
    const intent = await takeBack(
      this.#options,
      { channelArn, who, missing: `no ${kind} waits on ${channelArn}` },
      (tx) => cancelIntent(tx, kind, channelArn),
      ({ summary }) => ({ what: 'cancel_intent', why: summary, before: { intent: summary } }),
    );
    return intentView(intent);
  }

  async keyAges(): Promise<KeyAgeView[]> {
    await refreshAll(this.#options.shards);
    return this.#options.shards.all.flatMap(({ state }) =>
      keyAges(state.view).map(({ channelArn, sinceMs, made, deliveredTo }) => ({
        channelArn,
        since: iso(sinceMs),
        exact: made,
        ageDays: Math.round((state.nowMs() - sinceMs) / 8_640_000) / 10,
        ...(made ? { rotatedAt: iso(sinceMs) } : {}),
        ...(deliveredTo === undefined ? {} : { deliveredTo }),
      })),
    );
  }
}

function intentView({ id, kind, channelArn, summary, sinceMs, job, replaced, releasedAtMs }: Intent): IntentView {
  return {
    id,
    kind,
    channelArn,
    summary,
    since: iso(sinceMs),
    cause: job.cause,
    replaced,
    ...(releasedAtMs === undefined ? {} : { releasedAt: iso(releasedAtMs) }),
  };
}
