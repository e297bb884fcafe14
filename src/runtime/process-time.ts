// One clock for a library that has no setting for it. BullMQ writes times into Redis that the workers of other replicas compare with theirs
// (when a delayed or repeating job is due), and takes them from Date.now.

/**
 * From now on Date.now of this process returns `nowMs`, until it is disposed of. Only for the process edge, and never to
 * measure the error of the machine's own clock: use `systemClock.now` for that.
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
