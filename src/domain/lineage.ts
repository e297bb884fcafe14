// Which earlier lineages a state continues.

/** At `meta/lineage` in the shared state: the lineages that it continues after a loss was repaired. */
export interface LineageNote {
  readonly former: readonly string[];
  /** Time of the last repair. */
  readonly repairedAtMs?: number;
}
