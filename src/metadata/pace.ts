// How closely the calls of one channel follow each other.

/** One call; all times are performance.now(). */
export interface PacedCall {
  /** When its content was chosen. */
  readonly takenAt: number;
  /** When its permit let it go. */
  readonly dueAt: number;
  /** When its answer came. */
  readonly endedAt: number;
}

/**
 * When the channel's next content may be chosen. Each slot of a channel is free a second after its answer: the slots are spread evenly, so
 * that no item waits longer than the others. The wait between the choice and the permit's moment does not belong to the call.
 */
export function nextChoiceAt({ takenAt, dueAt, endedAt }: PacedCall, callsPerSecond: number): number {
  const callMs = Math.max(0, endedAt - Math.max(takenAt, dueAt));
  return takenAt + (1000 + callMs) / callsPerSecond;
}
