// What a job compared before it acted. Stored with the job's steps, so that a run that is killed right after acting has recorded why it
// acted.
import type { Check } from '#domain/decision.ts';

const mostChecks = 50;

/** Checks stored in a job's steps, the oldest first. */
export function checksIn(progress: unknown): Check[] {
  if (!Array.isArray(progress)) return [];
  return (progress as { readonly checks?: unknown }[]).flatMap((step) =>
    Array.isArray(step?.checks) ? (step.checks as Check[]) : [],
  );
}

/** The checks of one run, following those of earlier runs. */
export class CheckNotes {
  readonly #before: readonly Check[];
  readonly #own: Check[] = [];
  readonly #nowMs: () => number;
  #saved = 0;

  constructor(progress: unknown, nowMs: () => number) {
    this.#before = checksIn(progress);
    this.#nowMs = nowMs;
  }

  get all(): readonly Check[] {
    return [...this.#before, ...this.#own].slice(-mostChecks);
  }

  note(check: string, passed: boolean, { asked, found }: Pick<Check, 'asked' | 'found'>): boolean {
    this.#own.push({ check, verdict: passed ? 'passed' : 'failed', asked, found, atMs: this.#nowMs() });
    return passed;
  }

  /** Checks that no step contains yet; the caller stores them. */
  unsaved(): { readonly checks?: readonly Check[] } {
    const checks = this.#own.slice(this.#saved);
    this.#saved = this.#own.length;
    return checks.length === 0 ? {} : { checks };
  }
}
