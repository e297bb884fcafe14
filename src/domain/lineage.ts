// Which states a state goes on from.

/** At `meta/lineage` in the shared state: which lineages it went on from, after a loss that somebody took care of. */
export interface LineageNote {
  readonly former: readonly string[];
  /** Of the last repair. */
  readonly repairedAtMs?: number;
}
