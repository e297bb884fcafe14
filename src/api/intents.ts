// Actions that wait for the end of a stream, and how old the keys are that were rotated here. Meets the port of routes/intents.ts.
import type { Intent, IntentKind } from '#domain/action-memory.ts';
import { iso } from '#domain/duration.ts';
import { AppError } from '#domain/errors.ts';
import type { SharedState } from '#domain/shared-state.ts';
import { audit } from '#journal/audit.ts';
import type { ShardDirectory, ShardIdentity } from '#shard/directory.ts';
import { cancelIntent, intentsOf } from '#workers/intents.ts';
import { keyAges } from '#workers/key-record.ts';
import { refreshAll } from './refresh-all.ts';
import type { IntentsPort, IntentView, KeyAgeView } from './routes/intents.ts';

export interface IntentsOptions {
  readonly shards: ShardDirectory<ShardIdentity & { readonly state: SharedState }>;
  readonly configHash: () => string;
}

export class Intents implements IntentsPort {
  readonly #options: IntentsOptions;

  constructor(options: IntentsOptions) {
    this.#options = options;
  }

  async intents(): Promise<IntentView[]> {
    await refreshAll(this.#options.shards);
    return this.#options.shards.all.flatMap(({ state }) => intentsOf(state.view).map(intentView));
  }

  async cancel(kind: IntentKind, channelArn: string, who: string): Promise<IntentView> {
    const intent = await this.#options.shards.ofChannel(channelArn).state.transact((tx) => {
      const taken = cancelIntent(tx, kind, channelArn);
      if (taken)
        audit(tx, {
          who,
          what: 'cancel_intent',
          outcome: 'done',
          why: taken.summary,
          channelArn,
          before: { intent: taken.summary },
          configHash: this.#options.configHash(),
        });
      return taken;
    });
    if (!intent) throw new AppError('NOT_FOUND', `no ${kind} waits on ${channelArn}`);
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
