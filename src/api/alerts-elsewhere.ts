// Alerts of accounts that other processes carry, read from their state in Redis.
import type { Carried } from '#domain/carrier.ts';
import type { Alert } from './alert.ts';
import { endedAlerts, openAlerts } from './alerts.ts';
import { askEach, type Reached, settleEach, type Unasked } from './reach.ts';

export interface AlertsElsewhereOptions {
  /** The accounts that others carry. */
  readonly shards: readonly Reached[];
  readonly carried: () => readonly Carried[];
}

const goodConfig = () => ({ loadedAtMs: 0 });

export class AlertsElsewhere {
  readonly #options: AlertsElsewhereOptions;

  constructor(options: AlertsElsewhereOptions) {
    this.#options = options;
  }

  /** Open alerts there; if an account cannot be asked, only that nobody carries it. */
  async open({
    only = () => true,
  }: {
    readonly only?: (account: string) => boolean;
  } = {}): Promise<{ readonly alerts: readonly Alert[]; readonly unasked: readonly Unasked[] }> {
    const shards = this.#options.shards.filter(({ name }) => only(name));
    const { found, unasked } = await settleEach(shards, (shard) => this.#of(shard));
    const untold = unasked.flatMap(({ account }) =>
      openAlerts({ shards: [], isOne: false, carried: () => this.#carried(account), config: goodConfig }),
    );
    return { alerts: [...found.flatMap(({ value }) => value), ...untold], unasked };
  }

  /** Alerts there that have ended. */
  async ended(): Promise<readonly Alert[]> {
    const { found } = await settleEach(this.#options.shards, (shard) =>
      shard.read((state) => endedAlerts({ shards: [{ name: shard.name, state }], isOne: false })),
    );
    return found.flatMap(({ value }) => value);
  }

  /** Where an alert is stored, and its current content; undefined: not there. @throws AppError REDIS_… */
  async find(id: string): Promise<{ readonly shard: Reached; readonly alert: Alert } | undefined> {
    const shard = this.#options.shards.find(({ name }) => id.startsWith(`${name}:`));
    if (!shard) return undefined;
    const { found } = await askEach([shard], (each) => this.#of(each));
    const alert = found[0]?.value.find((each) => each.id === id);
    return alert && { shard, alert };
  }

  /** Accounts that some process should carry and none does. */
  get missing(): readonly string[] {
    return this.#options.carried().flatMap(({ account, missing }) => (missing.length > 0 ? [account] : []));
  }

  #of(shard: Reached): Promise<readonly Alert[]> {
    const { name } = shard;
    return shard.read((state) =>
      openAlerts({ shards: [{ name, state }], isOne: false, carried: () => this.#carried(name), config: goodConfig }),
    );
  }

  #carried(account: string): readonly Carried[] {
    return this.#options.carried().filter((each) => each.account === account);
  }
}
