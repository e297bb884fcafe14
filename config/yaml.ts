// Reads YAML with positions: one document, plain tags only, no duplicate keys, limited size, depth and aliases.
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  visit,
  type YAMLMap,
  YAMLParseError,
} from 'yaml';
import { messageOf } from '#domain/errors.ts';
import { misalignedLine } from './indentation.ts';
import type { Finding, PathPart, Problem } from './problem.ts';
import { formatPath } from './problem.ts';

/** The largest file. */
export const maxBytes = 1_048_576;
const maxDepth = 60;
const maxAliases = 100;
/** Nobody repairs more at once, and locating each takes time. */
export const mostProblems = 200;

export interface YamlFile {
  /** Plain JSON values. */
  readonly value: unknown;
  /** Adds its place in the file to a finding. */
  readonly locate: (finding: Finding) => Problem;
}

export type YamlResult =
  | { readonly ok: true; readonly yaml: YamlFile }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Pieces of text (a word, a bracket, a space) that are read at once: some milliseconds. */
const piecesAtOnce = 3_000;

/** Parses the text of a file; `file` is its name in problems. */
export function parseYaml(text: string, file: string): YamlResult {
  const steps = parseYamlInSteps(text, file);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** Like `parseYaml`, in steps: a running daemon does other work in between. */
export function* parseYamlInSteps(text: string, file: string): Generator<void, YamlResult> {
  const lines = new LineCounter();
  const problemAt = (offset: number, message: string): Problem => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col), path: '', message, severity: 'error' };
  };
  if (Buffer.byteLength(text) > maxBytes) {
    return { ok: false, problems: [problemAt(0, `the file is larger than ${maxBytes} bytes; this limit is fixed`)] };
  }
  const tooDeep = { ok: false, problems: [problemAt(0, `the file nests deeper than ${maxDepth} levels`)] } as const;
  if (nestsAbsurdly(text)) return tooDeep;
  try {
    const document = yield* readDocument(text, lines);
    yield;
    const complaints = [...document.errors, ...document.warnings, ...repeatedKeys(document)];
    if (complaints.length > 0) {
      const sorted = complaints.sort((left, right) => left.pos[0] - right.pos[0]);
      const shown = withIndentation(sorted, text, lines).slice(0, mostProblems);
      return { ok: false, problems: shown.map(({ pos, message }) => problemAt(pos[0], `YAML: ${message}`)) };
    }
    yield;
    const value: unknown = document.toJS({ maxAliasCount: maxAliases });
    if (deeperThan(value, maxDepth)) return tooDeep;
    const pairs = new Map<YAMLMap, ReadonlyMap<string, Pair>>();
    return { ok: true, yaml: { value, locate: (finding) => locate({ document, lines, file, pairs }, finding) } };
  } catch (error) {
    // Endless aliases, or a nesting that only shows when they are followed.
    return { ok: false, problems: [problemAt(0, `YAML: ${messageOf(error)}`)] };
  }
}

/** What the library's `parseDocument` does, in steps: reading the text takes far longer than composing the result. */
function* readDocument(text: string, lines: LineCounter): Generator<void, Document.Parsed> {
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  lines.addNewLine(0);
  let pieces = 0;
  for (const piece of new Lexer().lex(text)) {
    tokens.push(...parser.next(piece));
    pieces += 1;
    if (pieces % piecesAtOnce === 0) yield;
  }
  tokens.push(...parser.end());
  yield;
  const composer = new Composer({
    prettyErrors: false,
    schema: 'core',
    version: '1.2',
    merge: false,
    stringKeys: true,
    // The library compares each key with all earlier ones; `repeatedKeys` looks them up.
    uniqueKeys: false,
    logLevel: 'error',
  });
  const [document, another] = composer.compose(tokens, true, text.length);
  if (another)
    document!.errors.push(
      new YAMLParseError(
        [another.range[0], another.range[1]],
        'MULTIPLE_DOCS',
        'there are multiple documents; write one',
      ),
    );
  return document as Document.Parsed;
}

/** Whether the text should not be given to the recursive parser at all: brackets or dashes by the thousand. */
function nestsAbsurdly(text: string): boolean {
  let open = 0;
  for (const character of text) {
    if (character === '[' || character === '{') open += 1;
    else if ((character === ']' || character === '}') && open > 0) open -= 1;
    if (open > 2000) return true;
  }
  return /(?:[-?:] +){100}/.test(text);
}

function deeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => deeperThan(inner, levels - 1));
}

interface Complaint {
  readonly pos: readonly [number, ...number[]];
  readonly message: string;
  readonly code?: string;
}

/** What the library reports where blocks do not fit together. */
const structural = new Set([
  'MISSING_CHAR',
  'BAD_INDENT',
  'BLOCK_AS_IMPLICIT_KEY',
  'MULTILINE_IMPLICIT_KEY',
  'NON_STRING_KEY',
]);

/** If a line does not line up with those above it, this comes first, and what the library makes of the rest of the blocks is left out. */
function withIndentation(complaints: readonly Complaint[], text: string, lines: LineCounter): readonly Complaint[] {
  const first = complaints.find(({ code = '' }) => structural.has(code));
  if (!first) return complaints;
  const found = misalignedLine(text.split('\n'), lines.linePos(first.pos[0]).line);
  if (!found) return complaints;
  const { line, column } = found;
  const message = `check the indentation of line ${line}: it does not line up with the lines above it`;
  const others = complaints.filter(({ code = '', pos }) => !structural.has(code) || pos[0] < first.pos[0]);
  return [{ pos: [lines.lineStarts[line - 1]! + column - 1], message }, ...others];
}

/** Every key that repeats an earlier one of its map. */
function repeatedKeys(document: Document): { readonly pos: readonly [number]; readonly message: string }[] {
  const found: { pos: [number]; message: string }[] = [];
  visit(document, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        const name = isScalar(key) ? String(key.value) : key;
        if (seen.has(name)) found.push({ pos: [(key as Node).range?.[0] ?? 0], message: 'Map keys must be unique' });
        seen.add(name);
      }
    },
  });
  return found;
}

interface Places {
  readonly document: Document;
  readonly lines: LineCounter;
  readonly file: string;
  /** For each map that was searched, its pairs by key. */
  readonly pairs: Map<YAMLMap, ReadonlyMap<string, Pair>>;
}

function locate(places: Places, finding: Finding): Problem {
  const offset = offsetOf(places, finding.path, finding.atKey === true);
  const { line, col } = places.lines.linePos(offset);
  return {
    file: places.file,
    line: Math.max(1, line),
    column: Math.max(1, col),
    path: formatPath(finding.path),
    message: finding.message,
    severity: finding.severity,
  };
}

/** Where the path's value (or last key) is; if it is missing, the nearest place above it. */
function offsetOf({ document, pairs }: Places, path: readonly PathPart[], atKey: boolean): number {
  let node = resolved(document, document.contents);
  let offset = node?.range?.[0] ?? 0;
  for (const [index, part] of path.entries()) {
    const isLast = index === path.length - 1;
    let next: Node | undefined;
    if (isMap(node)) {
      const pair = pairsOf(node, pairs).get(String(part));
      if (!pair) return offset;
      const key = pair.key as Node;
      const value = pair.value as Node | null;
      offset = (isLast && atKey) || !value?.range ? (key.range?.[0] ?? offset) : value.range[0];
      next = value ?? undefined;
    } else if (isSeq(node)) {
      next = node.items[Number(part)] as Node | undefined;
      if (!next) return offset;
      offset = next.range?.[0] ?? offset;
    } else {
      return offset;
    }
    node = resolved(document, next);
  }
  return offset;
}

function pairsOf(map: YAMLMap, known: Places['pairs']): ReadonlyMap<string, Pair> {
  let pairs = known.get(map);
  if (!pairs) {
    pairs = new Map(map.items.flatMap((pair) => (isScalar(pair.key) ? [[String(pair.key.value), pair] as const] : [])));
    known.set(map, pairs);
  }
  return pairs;
}

function resolved(document: Document, node: Node | null | undefined): Node | undefined {
  return (isAlias(node) ? node.resolve(document) : node) ?? undefined;
}
