// Adds up what the tests and the checks wrote: `N passed, N failed`. A run without results has failed.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, ...exitCodes] = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (const [index, name] of ['tests.json', 'checks.json'].entries()) {
  const file = join(folder, name);
  const result = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
  passed += result?.numPassedTests ?? 0;
  const failures = result?.numFailedTests ?? 0;
  // A file that does not load, or a leak found at the end, fails the run without failing a test.
  failed += failures > 0 ? failures : exitCodes[index] === '0' && result ? 0 : 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
