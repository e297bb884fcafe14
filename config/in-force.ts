// The configuration that the daemon runs with, and what became of the last attempt to load another.
import type { Config } from './load.ts';

export interface ConfigInForce {
  readonly config: Config;
  readonly loadedAtMs: number;
  /** What the configuration says otherwise than at the start, and a restart would bring. */
  readonly needRestart: readonly string[];
  /** When the last attempt to load one was made. */
  readonly triedAtMs: number;
  /** Why the last attempt to load another one failed. */
  readonly error: string | undefined;
}
