// Ids of decisions, jobs and alerts.
import { hash } from 'node:crypto';

/** The same parts make the same id, in every process. */
export function hashOf(...parts: readonly (string | number)[]): string {
  return hash('sha256', JSON.stringify(parts), 'hex').slice(0, 24);
}
