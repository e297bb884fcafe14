// The change of a file that lets a rule in dry run act, as a unified diff: only a person changes the file.
import type { Config } from './load.ts';
import { secretTextsOf } from './secret-texts.ts';

export interface ModePatch {
  /** The name under which it was read. */
  readonly file: string;
  /** Number of the line that changes, from 1. */
  readonly line: number;
  /** For `patch -p1` and `git apply`. */
  readonly text: string;
}

const mostContext = 3;
/** Lines around the change may contain what not everybody who may read rules should see. */
const telling = /secret|token|password|:\/\//i;

/** The patch that makes a rule enforce; undefined if no single line sets it: the mode is an alias, or has an anchor. */
export function modePatch(config: Config, rule: string): ModePatch | undefined {
  const index = config.document.rules.findIndex(({ name }) => name === rule);
  if (index < 0) return undefined;
  const lines = config.text.split('\n');
  const hasMode = config.document.rules[index]?.mode !== undefined;
  const change = hasMode ? replaced(config, index, lines) : inserted(config, index, rule, lines);
  return change && { file: config.file, line: change.at + 1, text: diff(config, lines, change) };
}

interface Change {
  /** Index of the first line that is removed or moved down. */
  readonly at: number;
  readonly old: readonly string[];
  readonly new: readonly string[];
}

function placeOf(config: Config, index: number, key: 'mode' | 'name', atKey: boolean, lines: readonly string[]) {
  const { line, column } = config.locate({ path: ['rules', index, key], message: '', severity: 'error', atKey });
  const text = lines[line - 1] ?? '';
  return { at: line - 1, text, before: text.slice(0, column - 1), rest: text.slice(column - 1) };
}

function replaced(config: Config, index: number, lines: readonly string[]): Change | undefined {
  const { at, text, before, rest } = placeOf(config, index, 'mode', false, lines);
  if (!/(?:^|[\s{,])["']?mode["']?\s*:\s*$/.test(before)) return undefined;
  const changed = rest.replace(/^(["']?)dry_run\1/, '$1enforce$1');
  return changed === rest ? undefined : { at, old: [text], new: [before + changed] };
}

/** `mode` next to a name that is on a line of its own, or right before it within braces. */
function inserted(config: Config, index: number, rule: string, lines: readonly string[]): Change | undefined {
  const { at, text, before, rest } = placeOf(config, index, 'name', true, lines);
  if (/[{,]\s*$/.test(before)) return { at, old: [text], new: [`${before}mode: enforce, ${rest}`] };
  const end = rest.endsWith('\r') ? '\r' : '';
  const value = /^["']?name["']?\s*:\s+(.*?)(?:\s+#.*)?\r?$/.exec(rest)?.[1];
  const isWhole = value === rule || value === JSON.stringify(rule) || value === `'${rule}'`;
  if (!isWhole || !/^[\s-]*$/.test(before)) return undefined;
  return { at: at + 1, old: [], new: [`${' '.repeat(before.length)}mode: enforce${end}`] };
}

function diff(config: Config, lines: readonly string[], { at, old, new: added }: Change): string {
  // What follows the last line break is not a line.
  const endsWhole = lines.at(-1) === '';
  const count = endsWhole ? lines.length - 1 : lines.length;
  const secrets = secretTextsOf(config);
  const isPlain = (line: string) => !telling.test(line) && !secrets.some((text) => text !== '' && line.includes(text));
  const context = (from: number, step: 1 | -1) => {
    let length = 0;
    for (let place = from; place >= 0 && place < count && length < mostContext; place += step, length += 1)
      if (!isPlain(lines[place]!)) break;
    return length;
  };
  const after = at + old.length;
  let [leading, trailing] = [context(at - 1, -1), context(after, 1)];
  // A hunk with less context on one side is taken to be at that end of the file.
  if (after + trailing < count) leading = Math.min(leading, trailing);
  if (at - leading > 0) trailing = Math.min(leading, trailing);
  const marked = (sign: string, texts: readonly string[], from: number, isOld: boolean) =>
    texts.flatMap((text, index) =>
      !endsWhole && isOld && from + index === count - 1 ? [sign + text, '\\ No newline at end of file'] : [sign + text],
    );
  const first = at - leading;
  const span = (changed: number) => {
    const length = leading + changed + trailing;
    return `${length === 0 ? first : first + 1},${length}`;
  };
  const name = config.file.replace(/^\/+/, '');
  return [
    `--- a/${name}`,
    `+++ b/${name}`,
    `@@ -${span(old.length)} +${span(added.length)} @@`,
    ...marked(' ', lines.slice(first, at), first, true),
    ...marked('-', old, at, true),
    ...marked('+', added, at, old.length > 0),
    ...marked(' ', lines.slice(after, after + trailing), after, true),
    '',
  ].join('\n');
}
