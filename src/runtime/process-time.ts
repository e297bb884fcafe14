// One clock for a library that has no seam for it. BullMQ writes moments into Redis that the workers of other replicas compare with
// theirs (when a delayed or repeating job is due), and takes them from Date.now.

/**
 * From now on Date.now of this process tells `nowMs`, until it is disposed of. For the process edge only, and never for what is to
 * tell how far the machine's own clock is off: that is `systemClock.now`.
 */
export function keepTimeBy(nowMs: () => number): Disposable {
  const own = Date.now;
  Date.now = nowMs;
  return {
    [Symbol.dispose]() {
      Date.now = own;
    },
  };
}
