// How much work something took, in measures that other work on the machine hardly affects.

/** The processor time of this process while something ran, in milliseconds. */
export function cpuMsOf(run: () => void): number {
  const startedAt = process.cpuUsage();
  run();
  return cpuMsSince(startedAt);
}

/** The processor time of this process since then, in milliseconds. */
export function cpuMsSince(startedAt: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(startedAt);
  return (user + system) / 1_000;
}

const turnMs = 10;

/**
 * Waits for something, and counts consecutive timers of 10 ms that ran meanwhile. A process that gets no CPU counts
 * none: the count measures what it waits for, not how busy the machine is.
 */
export async function turnsOf<T>(run: Promise<T>): Promise<{ readonly value: T; readonly turns: number }> {
  let turns = 0;
  let timer: NodeJS.Timeout | undefined;
  const count = () => {
    timer = setTimeout(() => {
      turns += 1;
      count();
    }, turnMs);
  };
  count();
  try {
    const value = await run;
    return { value, turns };
  } finally {
    clearTimeout(timer);
  }
}
