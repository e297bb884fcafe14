// The same cause and action give the same job id, so that a repeat is harmless.
import { createHash } from 'node:crypto';

/** A job id: a readable head and a hash of all parts. Free of colons and never all digits, as BullMQ wants it. */
export function jobIdOf(head: string, ...parts: readonly (string | number)[]): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([head, ...parts]))
    .digest('hex');
  return `${head.replace(/[^a-z0-9-]/gi, '-').slice(0, 24)}-${hash.slice(0, 24)}`;
}
