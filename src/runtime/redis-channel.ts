// Receives what a script publishes about the keys that it writes. From Redis 7 on, messages go only to the nodes that have the channel's
// slot (sharded pub/sub), so other nodes of a cluster get none; a script finds out with `redis.REDIS_VERSION_NUM`.
import { messageOf } from '#domain/errors.ts';
import type { Redis } from './redis-connection.ts';

export interface RedisChannelOptions {
  /** A connection used for nothing else. */
  readonly redis: Redis;
  /** Includes the hash tag of the keys. */
  readonly name: string;
  readonly onMessage: (message: string) => void;
  /** For example, the user may not subscribe; called each time the connection is made. */
  readonly onRefused: (error: unknown) => void;
}

/** For Lua: publishes `message` on `channel`, where a subscriber of `RedisChannel` hears it; never fails. */
export const publishLua = `
local function publish(channel, message)
  local isSharded = (redis.REDIS_VERSION_NUM or 0) >= 0x070000
  redis.pcall(isSharded and 'SPUBLISH' or 'PUBLISH', channel, message)
end
`;

/** One subscription, made again with each connection: a node that gives a slot away ends the subscriptions of its channels. */
export class RedisChannel {
  readonly #options: RedisChannelOptions;

  constructor(options: RedisChannelOptions) {
    this.#options = options;
  }

  start(): void {
    const { redis } = this.#options;
    redis.on('message', this.#onMessage);
    redis.on('smessage', this.#onMessage);
    redis.on('ready', this.#subscribe);
    if (redis.status === 'ready') this.#subscribe();
  }

  /** Never rejects. */
  async stop(): Promise<void> {
    const { redis, name } = this.#options;
    redis.off('message', this.#onMessage);
    redis.off('smessage', this.#onMessage);
    redis.off('ready', this.#subscribe);
    if (redis.status !== 'ready') return;
    await Promise.all([redis.unsubscribe(name), redis.sunsubscribe(name)].map((done) => done.catch(() => undefined)));
  }

  readonly #onMessage = (channel: string, message: string): void => {
    if (channel === this.#options.name) this.#options.onMessage(message);
  };

  readonly #subscribe = (): void => {
    const { redis, name, onRefused } = this.#options;
    redis
      .ssubscribe(name)
      .catch((error: unknown) => {
        if (!/unknown command/i.test(messageOf(error))) throw error;
        return redis.subscribe(name);
      })
      .catch(onRefused);
  };
}
