// One set-up of a checkout at a time: two `npm ci` in one folder delete each other's files. Plain JavaScript for the host's Node (18 or newer).
//
// Each process has a file of its own, named after its pid and start time, in the checkout. It announces itself, then looks whether another
// living process has done so: of two that do this at once, at least one sees the other and steps back. Nobody replaces the file of
// another process, and the file of a dead one counts for nothing, so kill -9 leaves nothing that blocks.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const filePattern = /^\.set-up-(step-)?(\d+)-([0-9a-f]+)\.lock$/;
const lookEveryMs = 200;

/** The lock of the checkout in `folder`. */
export class SetupLock {
  #folder;
  #mine;

  /** @param {string} folder */
  constructor(folder) {
    this.#folder = folder;
    process.on('exit', () => this.release());
  }

  /**
   * Waits until no other process sets this checkout up; returns at once if this one holds the lock already.
   * @param {(pid: number) => void} [onWait] called with each process that is waited for
   * @throws {Error} of the file system, if the folder cannot be written
   */
  async hold(onWait = () => undefined) {
    if (this.#mine) return;
    const file = this.#fileOf(process.pid, '');
    for (let waitsFor; ; ) {
      const [before] = this.#others(file);
      if (before === undefined) {
        writeFileSync(file, '');
        if (this.#others(file).length === 0) {
          this.#mine = file;
          return;
        }
        remove(file);
        // Two that have stepped back at once must not meet again.
        await pause(Math.random() * lookEveryMs);
      } else {
        if (before !== waitsFor) onWait(before);
        waitsFor = before;
        await pause(lookEveryMs);
      }
    }
  }

  /**
   * Counts a child of the holder as a holder: if this process is killed, its npm goes on, and is waited for.
   * @param {number} pid
   * @returns {() => void} to call when the child has ended
   */
  share(pid) {
    const file = this.#fileOf(pid, 'step-');
    writeFileSync(file, '');
    return () => remove(file);
  }

  /** Lets the next one in. */
  release() {
    if (this.#mine) remove(this.#mine);
    this.#mine = undefined;
  }

  /** The living processes that have announced themselves, holders before their children; removes the files of dead ones. */
  #others(mine) {
    const pids = [];
    for (const name of readdirSync(this.#folder).sort()) {
      const [, , pid, birth] = filePattern.exec(name) ?? [];
      const file = join(this.#folder, name);
      if (pid === undefined || file === mine) continue;
      if (isAlive(Number(pid)) && birthOf(Number(pid)) === birth) pids.push(Number(pid));
      else remove(file);
    }
    return pids;
  }

  #fileOf(pid, kind) {
    return join(this.#folder, `.set-up-${kind}${pid}-${birthOf(pid)}.lock`);
  }
}

function remove(file) {
  try {
    rmSync(file, { force: true });
  } catch {
    // Another user's: without its process it counts for nothing.
  }
}

/** A digest of when a process began: a pid is given out again. As src/runtime/process-identity.ts, which runs on Node 24 only. */
function birthOf(pid) {
  return createHash('sha256').update(startOf(pid)).digest('hex').slice(0, 16);
}

function startOf(pid) {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      // It has ended, but its parent has not collected it yet.
      return state === 'Z' ? 'ended' : rest[18];
    }
    const env = { PATH: '/bin:/usr/bin', LC_ALL: 'C' };
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env, stdio: 'pipe' }).trim();
  } catch {
    return 'unknown';
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}
