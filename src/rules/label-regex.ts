// Regular expressions for labels that cannot hang: the set of positions reached is carried forward, nothing is tried twice.
// Literals, `.`, `[a-z]`, `[^…]`, `(…)`, `|`, `*`, `+`, `?` and `\` before a punctuation mark; always anchored at both ends.

/** The positions that can be reached from these, in a text. */
type Step = (text: string, from: ReadonlySet<number>) => ReadonlySet<number>;

export type LabelRegex =
  | { readonly ok: true; readonly test: (text: string) => boolean }
  | { readonly ok: false; readonly message: string };

const maxLength = 500;
const maxNestedRepeats = 2;

class SyntaxProblem extends Error {}

/** Compiles an expression, or says what is wrong with it. */
export function compileLabelRegex(source: string): LabelRegex {
  if (source.length > maxLength) return { ok: false, message: `longer than ${maxLength} characters` };
  try {
    const parser = new Parser(source);
    const step = parser.parse();
    return { ok: true, test: (text) => step(text, new Set([0])).has(text.length) };
  } catch (error) {
    if (error instanceof SyntaxProblem) return { ok: false, message: error.message };
    throw error;
  }
}

class Parser {
  readonly #source: string;
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Step {
    const { step } = this.#alternatives();
    if (this.#at < this.#source.length) throw new SyntaxProblem(`unexpected ${this.#source[this.#at]}`);
    return step;
  }

  #alternatives(): { step: Step; repeats: number } {
    const branches = [this.#sequence()];
    while (this.#source[this.#at] === '|') {
      this.#at += 1;
      branches.push(this.#sequence());
    }
    const repeats = Math.max(...branches.map((branch) => branch.repeats));
    if (branches.length === 1) return branches[0]!;
    return { step: (text, from) => new Set(branches.flatMap(({ step }) => [...step(text, from)])), repeats };
  }

  #sequence(): { step: Step; repeats: number } {
    const parts: { step: Step; repeats: number }[] = [];
    for (
      let next = this.#source[this.#at];
      next !== undefined && next !== '|' && next !== ')';
      next = this.#source[this.#at]
    ) {
      parts.push(this.#repeated());
    }
    const repeats = Math.max(0, ...parts.map((part) => part.repeats));
    return {
      step: (text, from) => {
        let reached = from;
        for (const { step } of parts) {
          if (reached.size === 0) break;
          reached = step(text, reached);
        }
        return reached;
      },
      repeats,
    };
  }

  #repeated(): { step: Step; repeats: number } {
    const one = this.#single();
    const mark = this.#source[this.#at];
    if (mark !== '*' && mark !== '+' && mark !== '?') return one;
    this.#at += 1;
    if (['*', '+', '?'].includes(this.#source[this.#at] ?? ''))
      throw new SyntaxProblem('two repetition marks in a row');
    if (mark === '?')
      return { step: (text, from) => new Set([...from, ...one.step(text, from)]), repeats: one.repeats };
    const repeats = one.repeats + 1;
    if (repeats > maxNestedRepeats) throw new SyntaxProblem('repetitions are nested too deep');
    const many: Step = (text, from) => {
      const all = new Set(from);
      let frontier = from;
      while (frontier.size > 0) {
        frontier = new Set([...one.step(text, frontier)].filter((position) => !all.has(position)));
        for (const position of frontier) all.add(position);
      }
      return all;
    };
    return { step: mark === '*' ? many : (text, from) => many(text, one.step(text, from)), repeats };
  }

  #single(): { step: Step; repeats: number } {
    const character = this.#source[this.#at]!;
    this.#at += 1;
    if (character === '(') return this.#group();
    if (character === '[') return { step: stepOf(this.#class()), repeats: 0 };
    if (character === '.') return { step: stepOf(() => true), repeats: 0 };
    if ('*+?'.includes(character)) throw new SyntaxProblem(`nothing to repeat before ${character}`);
    if (']{}^$'.includes(character))
      throw new SyntaxProblem(`${character} is not supported here; write \\${character} for the character`);
    const literal = character === '\\' ? this.#escaped() : character;
    return { step: stepOf((other) => other === literal), repeats: 0 };
  }

  #group(): { step: Step; repeats: number } {
    if (this.#source[this.#at] === '?') throw new SyntaxProblem('(?…) is not supported');
    this.#depth += 1;
    if (this.#depth > 20) throw new SyntaxProblem('parentheses are nested too deep');
    const inner = this.#alternatives();
    if (this.#source[this.#at] !== ')') throw new SyntaxProblem('a parenthesis is not closed');
    this.#at += 1;
    this.#depth -= 1;
    return inner;
  }

  #class(): (character: string) => boolean {
    const negated = this.#source[this.#at] === '^';
    if (negated) this.#at += 1;
    const ranges: [from: string, to: string][] = [];
    for (;;) {
      const character = this.#source[this.#at];
      if (character === undefined) throw new SyntaxProblem('a [ is not closed');
      this.#at += 1;
      if (character === ']') break;
      const from = character === '\\' ? this.#escaped() : character;
      let to = from;
      if (this.#source[this.#at] === '-' && this.#source[this.#at + 1] !== ']') {
        this.#at += 1;
        const end = this.#source[this.#at];
        if (end === undefined) throw new SyntaxProblem('a [ is not closed');
        this.#at += 1;
        to = end === '\\' ? this.#escaped() : end;
      }
      if (to < from) throw new SyntaxProblem(`the range ${from}-${to} is the wrong way round`);
      ranges.push([from, to]);
    }
    if (ranges.length === 0) throw new SyntaxProblem('[] is empty');
    return (character) => ranges.some(([from, to]) => character >= from && character <= to) !== negated;
  }

  #escaped(): string {
    const character = this.#source[this.#at];
    if (character === undefined || /[A-Za-z0-9]/.test(character)) {
      throw new SyntaxProblem('a backslash must be followed by a punctuation mark');
    }
    this.#at += 1;
    return character;
  }
}

function stepOf(accepts: (character: string) => boolean): Step {
  return (text, from) => {
    const reached = new Set<number>();
    for (const position of from) if (position < text.length && accepts(text[position]!)) reached.add(position + 1);
    return reached;
  };
}
