// Appends each result of a night to its history: `node scripts/bench-history.ts <results> <history>`. A line is
// {"at": …, "commit": …, "result": …}; the file is named after the bench.
import { appendFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isEntry } from '#runtime/entry.ts';

/**
 * Appends a line for each JSON file of a folder, and returns the names of the histories.
 * @throws Error if a result is not JSON, before anything is written
 */
export function appendResults(results: string, history: string, at: string, commit: string): string[] {
  const files = readdirSync(results).filter((name) => name.endsWith('.json'));
  const lines = files.map((name): [string, string] => {
    const result: unknown = JSON.parse(readFileSync(join(results, name), 'utf8'));
    return [`${basename(name, '.json')}.jsonl`, `${JSON.stringify({ at, commit, result })}\n`];
  });
  mkdirSync(history, { recursive: true });
  for (const [name, line] of lines) appendFileSync(join(history, name), line);
  return lines.map(([name]) => name);
}

if (isEntry(process.argv[1], import.meta.filename)) {
  const [results, history] = process.argv.slice(2);
  if (results === undefined || history === undefined) {
    console.error('usage: node scripts/bench-history.ts <folder of results> <folder of the history>');
    process.exitCode = 2;
  } else {
    const commit = process.env['GITHUB_SHA'] ?? 'unknown';
    console.log(appendResults(results, history, new Date().toISOString(), commit).join('\n'));
  }
}
