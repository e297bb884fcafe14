// A moment in a query, written as a time, or as how long ago.
import { z } from 'zod';
import { durationMs, parseDuration } from '#domain/duration.ts';

const isoTime = z.iso.datetime();

/** `2026-11-20T22:00:00Z`, or `2h`: two hours ago. Read it with `momentMs`. */
export const moment = z
  .string()
  .refine(
    (text) => isoTime.safeParse(text).success || parseDuration(text) !== undefined,
    'expected a time such as 2026-11-20T22:00:00Z, or how long ago, such as 2h',
  );

/** Epoch ms of a moment that the schema has checked. */
export function momentMs(text: string, nowMs: number): number {
  return parseDuration(text) === undefined ? Date.parse(text) : nowMs - durationMs(text);
}
