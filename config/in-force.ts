// The configuration that the daemon runs with, and the result of the last attempt to load another.
import type { Config } from './load.ts';

export interface ConfigInForce {
  readonly config: Config;
  readonly loadedAtMs: number;
  /** Settings that differ from those at the start and that a restart would apply. */
  readonly needRestart: readonly string[];
  /** When the last attempt to load one was made. */
  readonly triedAtMs: number;
  /** Why the last attempt to load another one failed. */
  readonly error: string | undefined;
}
