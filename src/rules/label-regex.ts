// Regular expressions for labels, in RE2's syntax and always anchored at both ends: the cost of a match grows with the text and with the
// expression, never exponentially. https://github.com/google/re2/wiki/Syntax, decisions/0012.
import { RE2JS, RE2JSException, RE2Set } from 're2js';

/** A state of the engine's automaton; one without instructions of the program can no longer match any text. */
interface AutomatonState {
  readonly nfaStates: readonly number[];
}

export type LabelRegex =
  | {
      readonly ok: true;
      readonly test: (text: string) => boolean;
      /** Instructions of the program or states of its automaton, whichever is larger; at least `leastSize`. */
      readonly size: number;
    }
  | { readonly ok: false; readonly message: string };

const maxLength = 500;
/** About the size of a full-length literal, doubled. */
const maxSize = 1000;
/** The least cost of comparing, however short an expression is. */
const leastSize = 25;
/** For one expression's automaton: 1,000 states that distinguish 40 kinds of characters fit. */
const automatonBytes = 524_288;
/** Instructions visited while an automaton is built: some milliseconds. */
const mostBuildSteps = 50_000;
/** What the engine uses for the end of a text, instead of a character. */
const endOfText = -1;
/** `x{n}` is compiled n times, so the text's length times all its counts limits the cost of compiling. */
const maxCopies = 20_000;

/** Classes with a thousand ranges, such as `\pL`, or any class under `(?i)`, take 2 ms each to compile. */
const mostLargeClasses = 10;

/** Compiles an expression, or says what is wrong with it. */
export function compileLabelRegex(source: string): LabelRegex {
  if (source.length > maxLength) return { ok: false, message: `longer than ${maxLength} characters` };
  if (source.length * countsOf(source) > maxCopies)
    return { ok: false, message: 'its {n,m} counts are too large together; write * or + instead' };
  if (largeClassesIn(source) > mostLargeClasses)
    return {
      ok: false,
      message: `more than ${mostLargeClasses} classes such as \\pL, or [a-z] under (?i); write * or + instead`,
    };
  try {
    const set = new RE2Set(RE2Set.ANCHOR_BOTH, RE2JS.DOTALL, automatonBytes);
    set.add(source);
    set.compile();
    const instructions = set.prog.numInst();
    if (instructions > maxSize)
      return { ok: false, message: `compiles to ${instructions} steps; at most ${maxSize} are allowed` };
    const states = buildAutomaton(set);
    if (states === undefined)
      return { ok: false, message: `needs too large an automaton: write fewer counts, or less after a first .*` };
    const size = Math.max(leastSize, instructions, states);
    return { ok: true, size, test: (text) => set.match(text).length > 0 };
  } catch (error) {
    if (error instanceof RE2JSException) return { ok: false, message: error.message.replace('`(?s)', '`') };
    throw error;
  }
}

/**
 * Follows every transition of the automaton, so that a match does not have to build any: it then looks up one state for each
 * character. Otherwise the engine builds it during a match, and if it grows too large simulates the program, a hundred times slower.
 * @returns the number of states; undefined when there are too many
 */
function buildAutomaton(set: RE2Set): number | undefined {
  // The first match creates the state that every match begins in.
  set.match('');
  const { dfa } = set;
  const states = new Set<AutomatonState>(dfa.startStates.values());
  let steps = 0;
  for (const state of states) {
    if (state.nfaStates.length === 0) continue;
    steps += state.nfaStates.length * (dfa.numClasses + 1);
    if (states.size > maxSize || steps > mostBuildSteps) return undefined;
    for (let kind = 0; kind <= dfa.numClasses; kind += 1) {
      const isEnd = kind === dfa.numClasses;
      const rune = isEnd ? endOfText : kind === 0 ? 0 : dfa.classBounds[kind - 1];
      const next = dfa.step(state, kind, rune, RE2Set.ANCHOR_BOTH) as AutomatonState | null;
      if (next === null) return undefined;
      if (!isEnd) states.add(next);
    }
  }
  return states.size;
}

/** How many classes may have very many ranges; the estimate errs on the high side. */
function largeClassesIn(source: string): number {
  const ofUnicode = source.match(/\\p/gi)?.length ?? 0;
  const folds = /\(\?[a-z]*i/i.test(source);
  return folds ? ofUnicode + (source.match(/\[/g)?.length ?? 0) : ofUnicode;
}

/** The product of all counted repetitions, whether nested or not. */
function countsOf(source: string): number {
  let product = 1;
  for (const [, least, most] of source.matchAll(/\{(\d{1,9})(?:,(\d{0,9}))?\}/g))
    product *= Math.max(1, Number(least) + 1, Number(most ?? 0));
  return product;
}
