// Removes secrets from a text: known shapes, and registered values.
import type { Secret } from '#domain/secret.ts';

/** Shapes that only a secret has, each with a text that occurs in all of them. */
const secretShapes: readonly [hint: string, RegExp, string][] = [
  // A stream key's value: https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_StreamKey.html
  ['sk_', /sk_[a-z0-9-]+_[A-Za-z0-9]+_[A-Za-z0-9]+/g, '[stream key]'],
  ['PRIVATE KEY-----', /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, '[private key]'],
  ['https://hooks.', /https:\/\/hooks\.[^\s"\\]+/g, '[webhook URL]'],
];
const patterns: readonly [RegExp, string][] = [
  [/\b(Bearer|Basic)\s+[A-Za-z0-9+/_.~=-]{6,}/gi, '$1 [token]'],
  // A password may have an @ in it.
  [/(rediss?(?:\+sentinel)?:\/\/[^:@/\s"]*:)[^\s"]+@/gi, '$1[password]@'],
  [/\b(https?:\/\/)[^/@\s"]+:[^/@\s"]+@/g, '$1[credentials]@'],
];
/** A shorter value may be an ordinary word. */
const shortestInAnswers = 12;

/** Replaces secrets in a text: known shapes, and every registered value. */
export class Scrubber {
  /** Each value with the number of callers that hide it: it is forgotten with the last of them. */
  readonly #values = new Map<string, { readonly label: string; readonly times: number }>();

  /** Hides this value wherever it occurs, until it is forgotten as often; values shorter than six characters are not accepted. */
  hide(value: string | Secret, label: string): void {
    const text = typeof value === 'string' ? value : value.reveal();
    if (text.length < 6) return;
    for (const form of formsOf(text)) {
      const { label: known = `[${label}]`, times = 0 } = this.#values.get(form) ?? {};
      this.#values.set(form, { label: known, times: times + 1 });
    }
  }

  /** Reverts one `hide`. */
  forget(value: string | Secret): void {
    const text = typeof value === 'string' ? value : value.reveal();
    for (const form of formsOf(text)) {
      const known = this.#values.get(form);
      if (known && known.times > 1) this.#values.set(form, { ...known, times: known.times - 1 });
      else this.#values.delete(form);
    }
  }

  scrub(text: string): string {
    let result = this.#withoutKnown(text, 0);
    for (const [pattern, label] of patterns) result = result.replace(pattern, label);
    return result;
  }

  /** Like `scrub`, for text that people and programs also write: replaces only what cannot be anything but a secret. */
  scrubAnswer(text: string): string {
    return this.#withoutKnown(text, shortestInAnswers);
  }

  #withoutKnown(text: string, shortest: number): string {
    let result = text;
    for (const [value, { label }] of this.#values)
      if (value.length >= shortest && result.includes(value)) result = result.replaceAll(value, label);
    for (const [hint, shape, label] of secretShapes) if (result.includes(hint)) result = result.replace(shape, label);
    return result;
  }
}

/** As it is, and as it appears in JSON. */
function formsOf(text: string): ReadonlySet<string> {
  return new Set([text, JSON.stringify(text).slice(1, -1)]);
}
