import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { appendResults } from './bench-history.ts';

test('each night adds one line to the history of each bench; a broken result adds nothing at all', () => {
  const folder = mkdtempSync(join(tmpdir(), 'autopilot-history-'));
  try {
    const [results, history] = [join(folder, 'results'), join(folder, 'history')];
    appendResultsOf({ 'incident.json': '{"ms": 7}', 'notes.txt': 'x' });
    expect(appendResults(results, history, '2026-12-01', 'abc')).toEqual(['incident.jsonl']);
    appendResultsOf({ 'limiter.json': '{"n": 1}' });
    appendResults(results, history, '2026-12-02', 'def');
    appendResultsOf({ 'broken.json': '{' });

    expect(() => appendResults(results, history, '2026-12-03', 'ghi')).toThrow(SyntaxError);
    const lines = readFileSync(join(history, 'incident.jsonl'), 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { at: '2026-12-01', commit: 'abc', result: { ms: 7 } },
      { at: '2026-12-02', commit: 'def', result: { ms: 7 } },
    ]);
    expect(readdirSync(history).toSorted()).toEqual(['incident.jsonl', 'limiter.jsonl']);

    function appendResultsOf(files: Record<string, string>): void {
      mkdirSync(results, { recursive: true });
      for (const [name, text] of Object.entries(files)) writeFileSync(join(results, name), text);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
