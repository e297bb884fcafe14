// The same cause and action give the same job id, so that a repeat is harmless.
import { hash } from 'node:crypto';

/** A job id: a readable head and a hash of all parts. Free of colons and never all digits, as BullMQ wants it. */
export function jobIdOf(head: string, ...parts: readonly (string | number)[]): string {
  const digest = hash('sha256', JSON.stringify([head, ...parts]), 'hex');
  return `${head.replace(/[^a-z0-9-]/gi, '-').slice(0, 24)}-${digest.slice(0, 24)}`;
}
