// The same cause and action produce the same job id, so that a repeat is harmless.
import { hash } from 'node:crypto';

/** A job id: a readable head and a hash of all parts. Without colons and never all digits, as BullMQ requires. */
export function jobIdOf(head: string, ...parts: readonly (string | number)[]): string {
  const digest = hash('sha256', JSON.stringify([head, ...parts]), 'hex');
  return `${head.replace(/[^a-z0-9-]/gi, '-').slice(0, 24)}-${digest.slice(0, 24)}`;
}
