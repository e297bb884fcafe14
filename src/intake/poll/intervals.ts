// How often to list, for a fleet of this size: the starving streams as often as configured, the full sweep with the rest of the quota of
// ListStreams. Pure. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html
export interface IntervalOptions {
  readonly starvingIntervalMs: number;
  readonly fullIntervalMs: number;
  /** Our share of the ListStreams calls per second. */
  readonly callsPerSecond: number;
  readonly live: number;
  readonly starving: number;
}

export interface PollIntervals {
  readonly starvingMs: number;
  readonly fullMs: number;
}

const pageSize = 100;
/** The starving poll leaves at least half of the quota to the full sweep, and the sweep a tenth to all other callers. */
const starvingShare = 0.5;
const usable = 0.9;

/** The intervals in force; never shorter than configured, and in whole seconds if they are longer. */
export function pollIntervals(options: IntervalOptions): PollIntervals {
  const { starvingIntervalMs, fullIntervalMs, callsPerSecond, live, starving } = options;
  const starvingPages = pagesOf(starving);
  const starvingMs = atLeast(starvingIntervalMs, (starvingPages / (callsPerSecond * starvingShare)) * 1000);
  const left = (callsPerSecond - starvingPages / (starvingMs / 1000)) * usable;
  return { starvingMs, fullMs: atLeast(fullIntervalMs, (pagesOf(live) / left) * 1000) };
}

function pagesOf(streams: number): number {
  return Math.max(1, Math.ceil(streams / pageSize));
}

function atLeast(configuredMs: number, neededMs: number): number {
  return neededMs <= configuredMs ? configuredMs : Math.ceil(neededMs / 1000) * 1000;
}
