// The static checks, all of them even if one fails: types, lint, format. Tests check imports and documents (test/*.test.ts).
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const checks: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: 'types', command: ['tsc', '--project', '.'] },
  { name: 'types of the page', command: ['tsc', '--project', 'web'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'format', command: ['biome', 'check', '--error-on-warnings', '.'] },
  { name: 'documents', command: ['scripts/docs.ts', '--check'] },
];

const root = join(import.meta.dirname, '..');
let failures = 0;
for (const { name, command } of checks) {
  const [program, ...args] = command as [string, ...string[]];
  const target = program.endsWith('.ts') ? join(root, program) : join(root, 'node_modules', '.bin', program);
  const startedAt = performance.now();
  const { status } = spawnSync(process.execPath, [target, ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) failures += 1;
  console.log(
    `${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`,
  );
}
const resultsFolder = process.env['AUTOPILOT_RESULTS_DIR'];
if (resultsFolder) {
  writeFileSync(
    join(resultsFolder, 'checks.json'),
    JSON.stringify({ numPassedTests: checks.length - failures, numFailedTests: failures }),
  );
}
process.exitCode = failures === 0 ? 0 : 1;
