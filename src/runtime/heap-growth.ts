// How far the heap may grow before a full garbage collection. V8 would let it double and more, which makes a large daemon very large. A
// small fixed share would make a small daemon collect constantly, and each collection delays current work by some 50 ms. So the heap grows
// freely up to a harmless size, and only a little beyond it. How much of the heap is alive makes no other difference: when a daemon of
// 2,000 channels (70 MB alive) could grow by a tenth only, full collections took an eighth of its CPU time.
//
// Two flags and a variable belong to this; they are set where the daemon is started (docs/decisions/0027-memory-settings.md).
// --max-semi-space-size=4: the objects of one message die young even in a small space; a large one only makes the daemon large.
// --v8-pool-size=1: one helper thread collects and compiles; four of them on two cores take CPU time from the daemon and Redis just when
// they need it (the 99th percentile of bench/reaction.ts was 22 ms instead of 13).
// MALLOC_ARENA_MAX=1: the helper thread's memory is the main thread's again when it has compiled. With an arena of its own it kept 10 MB.
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';

/** The heap may grow to this total, however little of it is alive. */
const harmlessMb = 110;
/**
 * For this long after the start it is not known how much will live, with all streams and channels: until then the heap may grow to this.
 */
const young = { ms: 60_000, inAllMb: 65 };
const leastPercent = 10;
const bytesPerMb = 1_048_576;

/** Percent by which the heap of a process of this age may grow, with this much alive. */
export function growthPercent(liveMb: number, ageMs: number): number {
  const totalMb = ageMs < young.ms ? young.inAllMb : harmlessMb;
  return Math.max(leastPercent, Math.round((totalMb / Math.max(1, liveMb) - 1) * 100));
}

/**
 * Sets the growth by what is left after each full collection, until it is disposed of. For the whole process.
 *
 * It also lets young objects be collected while a full collection is under way, as Node did up to version 20. Otherwise all that is
 * allocated meanwhile stays until its end, the young generation grows to 30 MB instead of 8, and V8 keeps those pages: with 10,000
 * channels the daemon's largest size was 269 MB instead of 226.
 */
export function tendHeap(): Disposable {
  // Tried with the V8 of Node 24: another one may not need the flag, or not know it.
  if (process.versions.v8.startsWith('13.6.')) setFlagsFromString('--no-separate-gc-phases');
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

/** Node's own types do not include the details of a `gc` entry. https://nodejs.org/api/perf_hooks.html#garbage-collection-gc-details */
function kindOf(entry: object): number | undefined {
  return (entry as { readonly detail?: { readonly kind?: number } }).detail?.kind;
}
