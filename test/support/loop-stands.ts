// How long the event loops of processes were blocked, as recorded by loop-stands.mjs, and how much of that was caused by the machine.
import { readFile } from 'node:fs/promises';

export interface Stand {
  /** Epoch ms. */
  readonly fromMs: number;
  readonly stoodMs: number;
  /** The part for which the thread was ready to run and had no core. */
  readonly waitedMs: number;
}

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a process has recorded so far; nothing if it has recorded nothing. */
export async function readStands(file: string): Promise<Stand[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Stand);
}

const overlap = (a: Window, b: Window) => Math.max(0, Math.min(a.toMs, b.toMs) - Math.max(a.fromMs, b.fromMs));
const windowOf = ({ fromMs, stoodMs }: Stand): Window => ({ fromMs, toMs: fromMs + stoodMs });

/**
 * How long a loop was blocked by its own work: without the time that its thread waited for a core, and without the time that a bare process
 * was blocked in the same window for any reason (the machine was suspended, its disk was slow).
 */
export function ownStandMs(stand: Stand, bare: readonly Stand[]): number {
  const shared = bare
    .filter((other) => overlap(windowOf(stand), windowOf(other)) > 0)
    .map(({ stoodMs, waitedMs }) => stoodMs - waitedMs);
  return Math.max(0, stand.stoodMs - stand.waitedMs - Math.max(0, ...shared));
}

/** Whether it was blocked in one of these windows: a process that was stopped on purpose is blocked. */
export function isWithin(stand: Stand, windows: readonly Window[]): boolean {
  return windows.some((window) => overlap(windowOf(stand), window) > 0);
}
