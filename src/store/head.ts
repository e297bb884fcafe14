// The token of a commit: `<format>|<lineage>|<number>|<random>|<Redis time in ms>|<number of fields>`.
//
// The number grows by one with each commit, and the lineage stays for as long as a state exists, so a copy can tell an older or a different
// state from a newer one. Version 0.1.0 wrote a UUID instead: it contains none of this, and is read anyway.
import { randomUUID } from 'node:crypto';
import { AppError } from '#domain/errors.ts';

/** Format of the state that this version reads and writes. */
const stateFormat = 2;

export interface Head {
  /** As stored in Redis. */
  readonly text: string;
  /** Undefined in heads of format 1. */
  readonly lineage: string | undefined;
  /** In format 1: only what was counted since. */
  readonly number: number | undefined;
  /** Redis's clock at the commit. */
  readonly atMs: number | undefined;
  /** Fields of the state after the commit. */
  readonly fields: number | undefined;
}

/** Reads a head. @throws AppError STATE_TOO_NEW */
export function parseHead(text: string): Head {
  const [format = '', lineage = '', number = '', , atMs = '', fields = ''] = text.split('|');
  const version = /^\d{1,6}$/.test(format) && text.includes('|') ? Number(format) : 1;
  if (version > stateFormat)
    throw new AppError(
      'STATE_TOO_NEW',
      `the state in Redis has format ${version}, written by a newer version of ivs-autopilot; this one reads up to format ${stateFormat}`,
      { details: { format: version, reads: stateFormat } },
    );
  const numbers = [number, atMs, fields].map(Number);
  if (version < stateFormat || !numbers.every(Number.isSafeInteger))
    return { text, lineage: undefined, number: undefined, atMs: undefined, fields: undefined };
  return { text, lineage, number: numbers[0], atMs: numbers[1], fields: numbers[2] };
}

/** The part of a new head that its writer chooses; the script adds the time and the number of fields. */
export function newHeadPrefix(lineage: string, number: number): string {
  return `${stateFormat}|${lineage}|${number}|${randomUUID()}`;
}

export function newLineage(): string {
  return randomUUID().slice(0, 13);
}
