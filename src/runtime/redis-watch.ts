// The trouble of all connections to one server, as one episode of the log.
import type { Logger } from './logger.ts';
import { type RedisTrouble, troubleText } from './redis-trouble.ts';

export interface RedisWatchOptions {
  readonly logger: Logger;
  readonly quietMs?: number;
  readonly onChange?: (kinds: ReadonlySet<RedisTrouble['kind']>) => void;
}

/**
 * The trouble of the connections to one server, reported as one episode: a line when it begins, one for each further kind of
 * trouble, one when it is over. States: well → troubled → (all connections well, for `quietMs`) well.
 */
export class RedisWatch {
  readonly #logger: Logger;
  readonly #quietMs: number;
  readonly #onChange: (kinds: ReadonlySet<RedisTrouble['kind']>) => void;
  readonly #troubled = new Map<object, RedisTrouble>();
  /** Codes that this episode has reported. */
  readonly #told = new Set<string>();
  #beganAt = 0;
  #ending: NodeJS.Timeout | undefined;

  /** @param options.onChange is called with the current kinds of trouble whenever a connection's trouble begins or ends. */
  constructor({ logger, quietMs = 1_000, onChange = () => undefined }: RedisWatchOptions) {
    this.#logger = logger;
    this.#quietMs = quietMs;
    this.#onChange = onChange;
  }

  /** The current trouble of any connection. */
  get trouble(): RedisTrouble | undefined {
    return this.#troubled.values().next().value;
  }

  /** @param role what the connection is for. */
  troubled(connection: object, trouble: RedisTrouble, role: string): void {
    clearTimeout(this.#ending);
    this.#ending = undefined;
    this.#troubled.set(connection, trouble);
    this.#changed();
    if (this.#told.has(trouble.code)) return;
    if (this.#told.size === 0) this.#beganAt = performance.now();
    this.#told.add(trouble.code);
    const code = trouble.kind === 'refuses' ? 'REDIS_REFUSES' : 'REDIS_UNREACHABLE';
    this.#logger.error(
      { code, role, said: trouble.said },
      `${troubleText(trouble)}; trying again, with pauses, until it ${trouble.kind === 'refuses' ? 'accepts' : 'answers'}`,
    );
  }

  well(connection: object): void {
    if (!this.#troubled.delete(connection)) return;
    this.#changed();
    if (this.#troubled.size > 0) return;
    this.#ending ??= setTimeout(() => {
      this.#ending = undefined;
      this.#logger.info({ lastedMs: Math.round(performance.now() - this.#beganAt) }, 'Redis answers again');
      this.#told.clear();
    }, this.#quietMs).unref();
  }

  /** The connection is closed permanently. */
  forget(connection: object): void {
    if (this.#troubled.delete(connection)) this.#changed();
  }

  #changed(): void {
    this.#onChange(new Set(Array.from(this.#troubled.values(), ({ kind }) => kind)));
  }
}
