// Scenario text → scenario, or one error that lists every problem as `file:line:column path: message`.

import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { type Scenario, scenarioSchema } from './schema.ts';

export class ScenarioError extends Error {}

type Path = readonly PropertyKey[];

/** Parses YAML (or JSON, which is YAML). `file` is only for messages. */
export function parseScenario(text: string, file = 'scenario'): Scenario {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const broken = [...document.errors, ...document.warnings];
  if (broken.length > 0)
    throw new ScenarioError(broken.map(({ pos, message }) => `${at(pos[0])} ${message}`).join('\n'));
  const parsed = scenarioSchema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap(problemsOf).map(({ path, message }) => {
    const where = [at(offsetOf(document, path)), path.map(String).join('.')].filter((part) => part !== '').join(' ');
    return `${where}: ${message}`;
  });
  throw new ScenarioError(problems.join('\n'));
}

/** An unknown member is a problem at its own place, not of the object around it. */
function problemsOf(issue: z.core.$ZodIssue): { readonly path: Path; readonly message: string }[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, message: issue.message }];
  return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'there is no such member' }));
}

/** Where a path begins in the text: the key of its last part, the item, or the nearest enclosing element that exists. */
function offsetOf(document: Document, path: Path): number {
  for (let depth = path.length; depth > 0; depth--) {
    const around = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true);
    const name = path[depth - 1];
    if (isMap(around)) {
      const key = around.items.find((pair) => isScalar(pair.key) && pair.key.value === name)?.key;
      if (isNode(key) && key.range) return key.range[0];
    } else {
      const item: unknown = document.getIn(path.slice(0, depth), true);
      if (isNode(item) && item.range) return item.range[0];
    }
  }
  return document.contents?.range?.[0] ?? 0;
}
