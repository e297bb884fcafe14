// What nobody caught ends the process: one line, exit code 1. The state of the program is not known any more, so nothing is stopped
// in order; another replica, or the next start, goes on from what is in Redis.
import { writeSync } from 'node:fs';
import { messageOf } from '#domain/errors.ts';

/** Writes the one line, synchronously. */
type Tell = (error: unknown) => void;

const told: Tell[] = [];
let isEnding = false;

/**
 * From now on an exception or a rejection that nothing handles is told and ends the process. The newest call is the one that
 * tells, until it is disposed of.
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
  // Telling it may throw as well.
  if (isEnding) process.exit(1);
  isEnding = true;
  try {
    told.at(-1)?.(error);
  } catch (failure) {
    sayLast(`an error could not be told: ${messageOf(failure)}\n`);
  }
  process.exit(1);
}

function sayLast(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nobody listens.
  }
}
