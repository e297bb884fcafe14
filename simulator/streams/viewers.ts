// Viewer counts without timers: a curve is evaluated when somebody reads it, so 10,000 channels cost nothing between reads.

/** A fixed number, or an audience that grows to `target` over `rampMs` and then sways by `wobble` (0 to 1) of it. */
export type ViewerCurve = number | { readonly target: number; readonly rampMs: number; readonly wobble: number };

/** The count at `sinceStartMs` into the stream; −1, "the count timed out", is returned as it is. */
export function viewersAt(curve: ViewerCurve, sinceStartMs: number, phase: number): number {
  if (typeof curve === 'number') return curve;
  const grown = curve.rampMs <= 0 ? 1 : Math.min(1, Math.max(0, sinceStartMs) / curve.rampMs);
  // Two waves of different length, shifted by channel, so that neighbouring channels do not move together.
  const sway = Math.sin(sinceStartMs / 41_000 + phase) * 0.6 + Math.sin(sinceStartMs / 7_300 + phase * 3) * 0.4;
  return Math.max(0, Math.round(curve.target * grown * (1 + curve.wobble * sway)));
}

interface Audience {
  readonly viewers: ViewerCurve;
  readonly startedAt: number;
  readonly seq: number;
  readonly revoked: ReadonlyMap<string, number>;
}

/** How many watch a stream now: its curve, minus the viewers whose sessions were revoked. */
export function viewerCount({ viewers, startedAt, seq, revoked }: Audience, now: number): number {
  const count = viewersAt(viewers, now - startedAt, seq);
  return count < 0 ? count : Math.max(0, count - revoked.size);
}
