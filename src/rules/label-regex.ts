// Regular expressions for labels, in RE2's syntax and always anchored at both ends: what a match costs grows with the text and the
// expression, never with their product's powers. https://github.com/google/re2/wiki/Syntax, decisions/0012.
import { RE2JS, RE2JSException, RE2Set } from 're2js';

export type LabelRegex =
  | {
      readonly ok: true;
      readonly test: (text: string) => boolean;
      /** Instructions of the compiled program: an upper bound of what one character of a text can cost. */
      readonly size: number;
    }
  | { readonly ok: false; readonly message: string };

const maxLength = 500;
/** About a full-length literal and as much again. */
const maxSize = 1000;
/** Of one expression's automaton; beyond it the engine simulates the program instead, still in linear time. */
const automatonBytes = 131_072;
/** `x{n}` is compiled n times, so the text's length times all its counts bounds what compiling can cost. */
const maxCopies = 20_000;

/** Compiles an expression, or says what is wrong with it. */
export function compileLabelRegex(source: string): LabelRegex {
  if (source.length > maxLength) return { ok: false, message: `longer than ${maxLength} characters` };
  if (source.length * countsOf(source) > maxCopies)
    return { ok: false, message: 'its {n,m} counts are too large together; write * or + instead' };
  try {
    const set = new RE2Set(RE2Set.ANCHOR_BOTH, RE2JS.DOTALL, automatonBytes);
    set.add(source);
    set.compile();
    const size = set.prog.numInst();
    if (size > maxSize) return { ok: false, message: `compiles to ${size} steps; at most ${maxSize} are allowed` };
    return { ok: true, size, test: (text) => set.match(text).length > 0 };
  } catch (error) {
    if (error instanceof RE2JSException) return { ok: false, message: error.message.replace('`(?s)', '`') };
    throw error;
  }
}

/** The product of all counted repetitions, whether nested or not. */
function countsOf(source: string): number {
  let product = 1;
  for (const [, least, most] of source.matchAll(/\{(\d{1,9})(?:,(\d{0,9}))?\}/g))
    product *= Math.max(1, Number(least) + 1, Number(most ?? 0));
  return product;
}
