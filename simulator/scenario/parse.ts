// Scenario text → scenario, or one error that lists every problem as `file:line:column path: message`.

import { isNode, LineCounter, parseDocument } from 'yaml';
import { type Scenario, scenarioSchema } from './schema.ts';

export class ScenarioError extends Error {}

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
  const problems = parsed.error.issues.map(({ path, message }) => {
    let offset = 0;
    for (let depth = path.length; depth >= 0; depth--) {
      const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
      if (!isNode(node) || node.range === null || node.range === undefined) continue;
      offset = node.range[0];
      break;
    }
    return `${at(offset)} ${path.map(String).join('.')}: ${message}`;
  });
  throw new ScenarioError(problems.join('\n'));
}
