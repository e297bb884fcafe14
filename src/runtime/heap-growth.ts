// How far the heap may grow before it is collected whole. V8 would let it double and more, which makes a large daemon very large;
// a fixed small part makes a small one collect all the time, and each collection slows what is under way for some 50 ms. So: up to
// a size that harms nobody the heap grows as it likes, beyond it by little.
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';

/** A heap of less is not worth collecting. */
const smallMb = 80;
const leastPercent = 15;
const bytesPerMb = 1_048_576;

/** Percent by which a heap may grow of which so much lives. */
export function growthPercent(liveMb: number): number {
  return Math.max(leastPercent, Math.round((smallMb / Math.max(1, liveMb) - 1) * 100));
}

/** Sets the growth by what is left after each whole collection, until it is disposed of. For the whole process. */
export function tendHeap(): Disposable {
  const set = () => {
    const percent = growthPercent(getHeapStatistics().used_heap_size / bytesPerMb);
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
