// What is wrong with a file, and where: `file:line:column path: message`.

export type PathPart = string | number;

/** A finding of a check that knows the path, but not the file. */
export interface Finding {
  readonly path: readonly PathPart[];
  readonly message: string;
  readonly severity: 'error' | 'warning';
  /** The finding is about the key at the path's end, not about its value. */
  readonly atKey?: boolean;
}

export interface Problem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** Such as `rules[1].trigger.event`; empty for the whole file. */
  readonly path: string;
  readonly message: string;
  readonly severity: 'error' | 'warning';
}

/** One line for a person. */
export function formatProblem(problem: Problem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`;
  const path = problem.path === '' ? '' : ` ${problem.path}`;
  return `${place}${path}: ${problem.severity === 'warning' ? 'warning: ' : ''}${problem.message}`;
}

/** `rules[1].match.tags["a b"]`. */
export function formatPath(path: readonly PathPart[]): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (/^[\w$-]+$/.test(part)) text += text === '' ? part : `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}
