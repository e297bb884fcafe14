// Preloaded (`--import`) into a process: records when its event loop was blocked, one JSON line each, in the file that TEST_LOOP_FILE
// names. `waitedMs` is how long the loop's thread waited for a core meanwhile (Linux; 0 elsewhere): that is caused by the machine, not by
// us.
import { appendFileSync, openSync, readSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const everyMs = 20;
const notedFromMs = 50;
const buffer = Buffer.alloc(128);

/** Nanoseconds that the thread has waited for a core, as milliseconds. */
function reader() {
  try {
    const file = openSync('/proc/self/schedstat', 'r');
    return () => Number(buffer.toString('latin1', 0, readSync(file, buffer, 0, 128, 0)).split(' ')[1]) / 1e6;
  } catch {
    return () => 0;
  }
}

const file = process.env.TEST_LOOP_FILE;
if (file && isMainThread) {
  const waited = reader();
  let [atMs, waitedMs] = [performance.now(), waited()];
  const look = () => {
    const [nowMs, nowWaitedMs] = [performance.now(), waited()];
    const stoodMs = nowMs - atMs - everyMs;
    if (stoodMs > notedFromMs) {
      const line = { fromMs: performance.timeOrigin + atMs, stoodMs, waitedMs: nowWaitedMs - waitedMs };
      appendFileSync(file, `${JSON.stringify(line)}\n`);
    }
    [atMs, waitedMs] = [performance.now(), waited()];
    setTimeout(look, everyMs).unref();
  };
  setTimeout(look, everyMs).unref();
}
