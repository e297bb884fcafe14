// Log lines for a person at a terminal: time, level, what happened, and the fields with details. Made from the logger's JSON lines, after
// secrets were removed.
import { styleText } from 'node:util';
import { roundedDuration } from '#domain/duration.ts';
import { errorCatalog } from '#domain/error-catalog.ts';
import { visibleLine } from '#domain/visible-text.ts';

export interface LogLineOptions {
  readonly colour: boolean;
  /** With the stacks of errors, which show where in the program the error occurred. */
  readonly stacks: boolean;
}

interface LoggedError {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly stack?: unknown;
  readonly cause?: unknown;
}

const names: Readonly<Record<string, string>> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warn: 'WARN',
  error: 'ERROR',
  fatal: 'FATAL',
};
const colours = { warn: 'yellow', error: 'red', fatal: 'red' } as const;
/** Indentation under the message: past the time and the level. */
const indent = ' '.repeat(15);
const longestValue = 200;
const mostCauses = 8;

/** Turns each JSON line into one or more lines for a person; a line that is not JSON stays as it is. All without a line break. */
export function logLines(options: LogLineOptions): (json: string) => string {
  // The remedy is written once for consecutive errors of one kind, such as those of a configuration.
  let said: unknown;
  return (json) => {
    const { lines, advice } = linesOf(json, options);
    if (advice === undefined || advice === said) return lines;
    said = advice;
    return `${lines}\n${indent}To do: ${advice}`;
  };
}

function linesOf(json: string, { colour, stacks }: LogLineOptions): { lines: string; advice?: string | undefined } {
  let entry: Record<string, unknown>;
  try {
    const parsed: unknown = JSON.parse(json);
    if (typeof parsed !== 'object' || parsed === null) return { lines: visibleLine(json) };
    entry = parsed as Record<string, unknown>;
  } catch {
    return { lines: visibleLine(json) };
  }
  const { level, time, message, stage, err, code, ...rest } = entry;
  const painted = (format: 'dim' | 'red' | 'yellow', text: string) =>
    colour ? styleText(format, text, { validateStream: false }) : text;
  const levelText = typeof level === 'string' ? level : '?';
  const error: LoggedError | undefined = err ?? undefined;
  const shownCode = code ?? error?.code;
  const fields = Object.entries({ ...(typeof stage === 'string' ? { stage } : {}), ...rest })
    .map(([name, value]) =>
      isSpan(name, value)
        ? ` ${visibleLine(name.slice(0, -'Ms'.length))}=${roundedDuration(value)}`
        : ` ${visibleLine(name)}=${valueText(value)}`,
    )
    .join('');
  const tone = colours[levelText as keyof typeof colours];
  const name = (names[levelText] ?? visibleLine(levelText)).padEnd(5);
  const what = textOf(message);
  const first = `${painted('dim', timeText(time))} ${tone ? painted(tone, name) : name} ${what}${
    shownCode === undefined ? '' : ` [${textOf(shownCode)}]`
  }${fields === '' ? '' : painted('dim', fields)}`;
  return {
    lines: [first, ...errorLines(error, what, stacks).map((line) => indent + line)].join('\n'),
    advice: adviceFor(levelText, shownCode),
  };
}

/** What went wrong, and its causes; a message that was just written is not repeated. */
function errorLines(error: LoggedError | undefined, said: string, stacks: boolean): string[] {
  const lines: string[] = [];
  let before = said;
  for (
    let each = error, count = 0;
    each && count < mostCauses;
    each = each.cause as LoggedError | undefined, count += 1
  ) {
    const text = textOf(each.message);
    if (text !== '' && !before.includes(text)) lines.push(`${count === 0 ? '' : 'because: '}${text}`);
    before = text;
    if (stacks && typeof each.stack === 'string')
      lines.push(
        ...each.stack
          .split('\n')
          .slice(1)
          .map((line) => visibleLine(line.trim())),
      );
  }
  return lines;
}

/** What to do, if a person must do something. */
function adviceFor(level: string, code: unknown): string | undefined {
  if (level !== 'fatal' && level !== 'error') return undefined;
  if (typeof code !== 'string' || !Object.hasOwn(errorCatalog, code)) return undefined;
  return errorCatalog[code as keyof typeof errorCatalog].remedy;
}

/** The time of day in UTC, as the journal and the audit have it. */
function timeText(time: unknown): string {
  return typeof time === 'string' ? visibleLine(time.slice(11, 19)) : '--:--:--';
}

/** May come from a stranger: shown as text on one line. */
function textOf(value: unknown): string {
  return visibleLine(typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value));
}

/** A larger number is a time in epoch ms. */
const longestSpanMs = 3650 * 86_400_000;

/** Whether a field is a duration in milliseconds. */
function isSpan(name: string, value: unknown): value is number {
  return /[a-z]Ms$/.test(name) && typeof value === 'number' && value >= 0 && value < longestSpanMs;
}

function valueText(value: unknown): string {
  const text = typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : (JSON.stringify(value) ?? 'undefined');
  return visibleLine(text.length > longestValue ? `${text.slice(0, longestValue)}…` : text);
}
