// Which process a pid means: the kernel reuses numbers, so a note about a process also keeps its start time.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** When a process began, as a text that is only compared; undefined if there is no such process, or the system does not say. */
export function processBirth(pid: number): string | undefined {
  try {
    return process.platform === 'linux' ? birthInStat(readFileSync(`/proc/${pid}/stat`, 'utf8')) : birthByPs(pid);
  } catch {
    return undefined;
  }
}

/** Field 22 of /proc/<pid>/stat, in ticks since the boot. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export function birthInStat(stat: string): string | undefined {
  // The second field, the program's name, may contain spaces and parentheses: the fields are counted after the last one.
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' ? ended : rest[18];
}

/** A process that has ended, but whose parent has not collected it yet. */
const ended = 'ended';

function birthByPs(pid: number): string | undefined {
  const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
    encoding: 'utf8',
    env: { PATH: '/bin:/usr/bin', LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 2_000,
  });
  return text.trim() || undefined;
}

/** Whether the process that had this pid and start time still runs; without a start time, whether any process has the pid. */
export function isSameProcessAlive(pid: number, birth: string | undefined): boolean {
  if (!isAlive(pid)) return false;
  const now = processBirth(pid);
  return now !== ended && (birth === undefined || now === undefined || now === birth);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
