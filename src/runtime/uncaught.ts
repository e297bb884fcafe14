// An uncaught error ends the process: one line, exit code 1. The state of the program is no longer known, so there is no orderly stop;
// another replica, or the next start, continues from what is in Redis.
import { writeSync } from 'node:fs';
import { messageOf } from '#domain/errors.ts';

/** Writes the one line, synchronously. */
type Tell = (error: unknown) => void;

const told: Tell[] = [];
let isEnding = false;

/**
 * From now on an unhandled exception or rejection is reported and ends the process. The newest call is the one that
 * reports, until it is disposed of.
 */
export function endOnUncaught(tell: Tell): Disposable {
  if (told.length === 0) {
    process.on('uncaughtException', end);
    process.on('unhandledRejection', end);
  }
  told.push(tell);
  return {
    [Symbol.dispose]() {
      told.splice(told.indexOf(tell), 1);
      if (told.length > 0) return;
      process.off('uncaughtException', end);
      process.off('unhandledRejection', end);
    },
  };
}

function end(error: unknown): never {
  // Reporting may throw as well.
  if (isEnding) process.exit(1);
  isEnding = true;
  try {
    told.at(-1)?.(error);
  } catch (failure) {
    sayLast(`an error could not be reported: ${messageOf(failure)}\n`);
  }
  process.exit(1);
}

function sayLast(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nobody reads it.
  }
}
