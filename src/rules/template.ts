// Liquid templates that are safe with untrusted data: no files, no clock, no randomness, bounded time and memory, only known variables.
// What a template prints is data and is never parsed again. https://shopify.github.io/liquid/
import { Context, Liquid, type LiquidOptions, type Template, toValue, toValueSync } from 'liquidjs';
import { messageOf } from '#domain/errors.ts';
import { didYouMean } from '#domain/nearest-name.ts';
import { escapeHtml, escapeMarkdown, escapeSlack, visibleLine } from '#domain/visible-text.ts';

/**
 * `text`: returns a string. `value`: a template of a single output keeps its type, so that numbers, lists and objects stay what they are.
 * `message`: a string for people; line breaks and control characters of filled-in values are made visible, those of the template stay.
 * `identifier`: a string for names and paths, where each output must be a plain word and must not be empty. `slack`, `markdown`, `html`:
 * like `message`, for services that interpret markup: filled-in values cannot mention anybody, add a link or add an element.
 */
export type TemplateMode = 'text' | 'value' | 'identifier' | 'message' | 'slack' | 'markdown' | 'html';

export interface CompiledTemplate {
  readonly ok: true;
  /** Throws an Error with a plain message if a variable is missing or a limit is exceeded. */
  readonly render: (context: object) => unknown;
}

export type TemplateResult = CompiledTemplate | { readonly ok: false; readonly message: string };

const numberFilters = ['abs', 'at_least', 'at_most', 'ceil', 'divided_by', 'floor', 'minus', 'modulo', 'plus', 'round'];
const textFilters = ['append', 'capitalize', 'default', 'downcase', 'escape', 'json', 'lstrip', 'prepend', 'remove'];
const moreTextFilters = ['replace', 'rstrip', 'slice', 'split', 'strip', 'times', 'truncate', 'upcase', 'url_encode'];
const listFilters = ['compact', 'concat', 'first', 'join', 'last', 'map', 'reverse', 'size', 'sort', 'uniq'];

/** The supported filters: deterministic, and of limited cost. */
export const filterNames: readonly string[] = [
  ...numberFilters,
  ...textFilters,
  ...moreTextFilters,
  ...listFilters,
].sort();

/** The supported tags: conditions and loops. */
export const tagNames: readonly string[] = [
  'if',
  'unless',
  'case',
  'for',
  'break',
  'continue',
  'assign',
  'comment',
  'raw',
  '#',
];

const maxTemplateLength = 16_384;
const maxOutputLength = 262_144;
/** Parts of the template that are printed or evaluated, each as often as a loop reaches it: about 50 ms. */
const maxSteps = 20_000;
const plainWord = /^[A-Za-z0-9_=+@-][A-Za-z0-9_.=+@-]{0,127}$/;

const engines: Readonly<Record<TemplateMode, Liquid>> = {
  text: createEngine({}),
  value: createEngine({ keepOutputType: true }),
  message: createEngine({ outputEscape: visibleOutput() }),
  slack: createEngine({ outputEscape: visibleOutput(escapeSlack) }),
  markdown: createEngine({ outputEscape: visibleOutput(escapeMarkdown) }),
  html: createEngine({ outputEscape: visibleOutput(escapeHtml) }),
  identifier: createEngine({ outputEscape: requirePlainWord }),
};

function createEngine(extra: LiquidOptions): Liquid {
  const engine = new Liquid({
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
    lenientIf: true,
    templates: {},
    parseLimit: maxTemplateLength,
    // The effective limit: it counts the output, so it is the same on every machine.
    memoryLimit: 200_000,
    // Only a fallback: a busy machine must not lose an action.
    renderLimit: 3_000,
    ...extra,
  });
  // The library does not count what it writes as JSON, which may be a whole event each time.
  engine.registerFilter('json', function (value: unknown, space?: number) {
    const text = JSON.stringify(value, null, space) as string | undefined;
    this.context.memoryLimit.use((text?.length ?? 0) / 16);
    return text;
  });
  // The filter `raw` turns outputEscape off: the identifier engine must not have it.
  for (const name of Object.keys(engine.filters)) if (!filterNames.includes(name)) engine.unregisterFilter(name);
  for (const name of Object.keys(engine.tags)) if (!tagNames.includes(name)) delete engine.tags[name];
  return engine;
}

function visibleOutput(escape = (text: string) => text): (value: unknown) => string {
  const shown = (value: unknown): string => {
    if (Array.isArray(value)) return value.map(shown).join('');
    // Liquid prints numbers, and what prints as nothing.
    return typeof value === 'string' ? escape(visibleLine(value)) : (value as string);
  };
  return shown;
}

function requirePlainWord(value: unknown): string {
  const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  if (plainWord.test(text)) return text;
  throw new Error(
    `${JSON.stringify(text.slice(0, 40))} cannot be part of a name or path: expected letters, digits and _ . = + @ -`,
  );
}

/** Whether the text contains anything to fill in. */
export function isTemplate(text: string): boolean {
  return text.includes('{{') || text.includes('{%');
}

/** Compiles and checks a template; the message says what is wrong with it. */
export function compileTemplate(
  text: string,
  options: {
    readonly mode: TemplateMode;
    /** What is wrong with naming a variable, given as its segments. */
    readonly problemOf: (segments: readonly unknown[]) => string | undefined;
  },
): TemplateResult {
  if (!isTemplate(text)) return { ok: true, render: () => text };
  if (text.length > maxTemplateLength) {
    return { ok: false, message: `a template must not be longer than ${maxTemplateLength} characters` };
  }
  const engine = engines[options.mode];
  let parsed: Template[];
  try {
    parsed = engine.parse(text);
    const uses = Object.values(engine.analyzeSync(parsed, { partials: false }).globals).flat();
    const problems = new Set(uses.flatMap(({ segments }) => options.problemOf(segments) ?? []));
    if (problems.size > 0) return { ok: false, message: [...problems].join('; ') };
  } catch (error) {
    return { ok: false, message: plainMessage(error) };
  }
  return {
    ok: true,
    render: (context) => {
      let output: unknown;
      try {
        output = renderBounded(engine, parsed, context);
      } catch (error) {
        throw new Error(plainMessage(error), { cause: error });
      }
      if (typeof output === 'number' && !Number.isFinite(output)) throw new Error('the output is not a finite number');
      return output;
    },
  };
}

/** Renders with a limit on the work and on the text, both counted as they grow: the same on every machine. */
function renderBounded(engine: Liquid, parsed: Template[], values: object): unknown {
  const context = new Context(values, engine.options, { sync: true }, { liquid: engine });
  const { renderLimit } = context;
  const checkTime = renderLimit.check.bind(renderLimit);
  let steps = 0;
  renderLimit.check = (now) => {
    steps += 1;
    if (steps > maxSteps) throw new Error(`the limit of ${maxSteps} steps is exceeded: let the loops end earlier`);
    checkTime(now);
  };
  const output = new Output(engine.options.keepOutputType);
  return toValueSync(engine.renderer.renderTemplates(parsed, context, output));
}

/** What a template has printed so far. A single value keeps its type where that is wanted. */
class Output {
  readonly #keepsType: boolean;
  #value: unknown = '';

  constructor(keepsType: boolean) {
    this.#keepsType = keepsType;
  }

  /** Declared as in the library; a single value may not be a text. */
  get buffer(): string {
    return this.#value as string;
  }

  write(piece: unknown): void {
    const plain: unknown = toValue(piece);
    if (this.#keepsType && typeof plain !== 'string' && this.#value === '') {
      this.#value = plain;
      return;
    }
    const text = textOf(this.#value) + textOf(plain);
    if (text.length > maxOutputLength) throw new Error(`the output is longer than ${maxOutputLength} characters`);
    this.#value = text;
  }
}

/** As the library prints values: nothing for null, the members of a list one after another. */
function textOf(value: unknown): string {
  const plain = toValue(value);
  if (plain === null || plain === undefined) return '';
  return Array.isArray(plain) ? plain.map(textOf).join('') : String(plain);
}

/** The variables that a template names, each as its segments; computed ones are lists. None for an invalid one: `compileTemplate` reports it. */
export function variablesOf(text: string): readonly (readonly unknown[])[] {
  const engine = engines.text;
  try {
    const parsed = engine.parse(text);
    return Object.values(engine.analyzeSync(parsed, { partials: false }).globals).flatMap((uses) =>
      uses.map(({ segments }) => segments),
    );
  } catch {
    return [];
  }
}

/** Liquid's message without its position in the line, which the file's own position replaces. */
function plainMessage(error: unknown): string {
  const message = messageOf(error)
    .split('\n')[0]!
    .replace(/, (line|file):.*$/, '')
    .slice(0, 300);
  const filter = /^undefined filter: (\S+)/.exec(message)?.[1];
  if (filter !== undefined) return `unknown filter ${filter}${didYouMean(filter, filterNames)}`;
  const tag = /^tag "([^"]*)" not found/.exec(message)?.[1];
  if (tag !== undefined) return `unknown tag ${tag}${didYouMean(tag, tagNames)}`;
  return message;
}
