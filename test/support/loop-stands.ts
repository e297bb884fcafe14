// How long the event loops of processes stood, as loop-stands.mjs noted it, and how much of that was the machine's.
import { readFile } from 'node:fs/promises';

export interface Stand {
  /** Epoch ms. */
  readonly fromMs: number;
  readonly stoodMs: number;
  /** Of it the thread was ready to run and had no core. */
  readonly waitedMs: number;
}

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a process has noted so far; nothing where it has noted nothing. */
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
 * How long a loop stood by itself: without the time that its thread waited for a core, and without what a bare process beside it stood
 * in the same window for whatever reason (its machine was taken away, its disk was slow).
 */
export function ownStandMs(stand: Stand, bare: readonly Stand[]): number {
  const shared = bare
    .filter((other) => overlap(windowOf(stand), windowOf(other)) > 0)
    .map(({ stoodMs, waitedMs }) => stoodMs - waitedMs);
  return Math.max(0, stand.stoodMs - stand.waitedMs - Math.max(0, ...shared));
}

/** Whether a stand fell into one of these windows: a process that was stopped on purpose stands. */
export function isWithin(stand: Stand, windows: readonly Window[]): boolean {
  return windows.some((window) => overlap(windowOf(stand), window) > 0);
}
