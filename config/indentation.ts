// Finds the line whose indentation broke a YAML file: the library reports only what no longer fits afterwards.

/** A line in a block: where it begins, and whether it is an item of a list. */
interface Start {
  readonly column: number;
  readonly isItem: boolean;
}

/**
 * Of the lines at and right after an error of the library (both count from 1), the first that does not line up with the lines above it;
 * undefined: both do, and the error has another cause.
 */
export function misalignedLine(
  lines: readonly string[],
  errorLine: number,
): { readonly line: number; readonly column: number } | undefined {
  for (const line of [errorLine, errorLine + 1]) {
    const [start] = startsOf(lines[line - 1] ?? '');
    if (start && !linesUp(start, lines.slice(0, line - 1))) return { line, column: start.column };
  }
  return undefined;
}

function linesUp(start: Start, above: readonly string[]): boolean {
  let outermost = Number.POSITIVE_INFINITY;
  let isFirst = true;
  for (const text of above.toReversed()) {
    const starts = startsOf(text);
    if (starts.length === 0) continue;
    if (isFirst && opensBlock(text)) {
      const inner = starts.at(-1)!.column;
      if (start.column > inner || (start.isItem && start.column === inner)) return true;
    }
    isFirst = false;
    // What is deeper than a line between is closed.
    const open = starts.filter(({ column }) => column < outermost);
    if (open.some(({ column, isItem }) => column === start.column && isItem === start.isItem)) return true;
    // A list may begin on the column of the key above it.
    outermost = Math.min(outermost, starts[0]!.isItem ? starts[0]!.column + 1 : starts[0]!.column);
    if (outermost <= 1) break;
  }
  return isFirst;
}

/** Where a line's blocks begin: `- - a: 1` has three. None: it is empty, a comment or a boundary of documents. */
function startsOf(text: string): Start[] {
  if (/^\s*(?:#|$)|^(?:---|\.\.\.|%)/.test(text)) return [];
  const starts: Start[] = [];
  let column = text.length - text.trimStart().length + 1;
  let rest = text.trimStart();
  for (let dash = /^-(?: +|$)/.exec(rest); dash; dash = /^-(?: +|$)/.exec(rest)) {
    starts.push({ column, isItem: true });
    column += dash[0].length;
    rest = rest.slice(dash[0].length);
  }
  if (rest !== '') starts.push({ column, isItem: false });
  return starts;
}

/** Nobody writes a longer key, and a pattern takes its time with a line of a megabyte. */
const longestLine = 2_000;

/** Whether deeper lines may follow: after a key or a dash without a value, and in text of several lines. */
function opensBlock(text: string): boolean {
  if (text.length > longestLine) return false;
  return /(?:^|\s)-\s*(?:#.*)?$|:\s*(?:[&!]\S+(?:\s+|$))*(?:[|>][-+0-9]*\s*)?(?:\s#.*)?$/.test(text);
}
