// One process runs many files of the unit and integration tests. A file that leaves a global faked would make a later one hang, in one of
// many runs, depending on which files shared its process. So each file is checked at its end.
import { afterAll, expect } from 'vitest';

const watched = [
  [globalThis, ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate']],
  [globalThis, ['queueMicrotask', 'Date', 'fetch']],
  [performance, ['now']],
  [process, ['nextTick']],
] as const;

type Globals = Record<string, unknown>;
const place = Symbol.for('globals as they were when the process began');

function current(): Globals {
  return Object.fromEntries(
    watched.flatMap(([owner, names]) => names.map((name) => [name, Reflect.get(owner, name) as unknown])),
  );
}

const kept = globalThis as unknown as Record<symbol, Globals | undefined>;
const real = (kept[place] ??= current());

afterAll(() => {
  const now = current();
  const left = Object.keys(real).filter((name) => now[name] !== real[name]);
  expect(left, 'globals that this file leaves changed: restore mocks first, and then the real timers').toEqual([]);
});
