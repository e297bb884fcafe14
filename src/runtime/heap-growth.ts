// How far the heap may grow before it is collected whole. V8 would let it double and more, which makes a large daemon very large;
// a fixed small part makes a small one collect all the time, and each collection slows what is under way for some 50 ms. So: up to
// a size that harms nobody the heap grows as it likes, beyond it by little.
//
// Two flags go with it, where the daemon is started. --max-semi-space-size=4: objects of one message die young in a small room too;
// a large one only makes the daemon large. --v8-pool-size=1: one helper collects and compiles; four of them, on two cores, take
// the time of the daemon and of Redis just when they are needed (the 99th percentile of bench/reaction.ts was 22 ms instead of 13).
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';

/** With so little alive the heap may grow to so much in all. */
const small = { liveMb: 60, inAllMb: 120 };
/** So long after the start it is not known yet how much will live, with all streams and channels: until then it may grow to so much. */
const young = { ms: 60_000, inAllMb: 65 };
const leastPercent = 10;
const bytesPerMb = 1_048_576;

/** Percent by which the heap of a process of this age may grow when so much of it lives. */
export function growthPercent(liveMb: number, ageMs: number): number {
  const inAllMb = ageMs < young.ms ? young.inAllMb : liveMb <= small.liveMb ? small.inAllMb : 0;
  return Math.max(leastPercent, Math.round((inAllMb / Math.max(1, liveMb) - 1) * 100));
}

/** Sets the growth by what is left after each whole collection, until it is disposed of. For the whole process. */
export function tendHeap(): Disposable {
  const set = () => {
    const percent = growthPercent(getHeapStatistics().used_heap_size / bytesPerMb, performance.now());
    setFlagsFromString(`--heap-growing-percent=${percent}`);
  };
  set();
  const observer = new PerformanceObserver((list) => {
    if (list.getEntries().some((entry) => kindOf(entry) === constants.NODE_PERFORMANCE_GC_MAJOR)) set();
  });
  observer.observe({ entryTypes: ['gc'] });
  return { [Symbol.dispose]: () => observer.disconnect() };
}

/** Node's own types know nothing of the details of a `gc` entry. https://nodejs.org/api/perf_hooks.html#garbage-collection-gc-details */
function kindOf(entry: object): number | undefined {
  return (entry as { readonly detail?: { readonly kind?: number } }).detail?.kind;
}
