import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from './load.ts';
import { modePatch } from './mode-patch.ts';

const trigger = 'trigger: {state: {health: [STARVING]}}';
const actions = 'actions: [{put_metadata: {payload: slate}}]';

function configOf(text: string, file = 'rules.yaml') {
  const result = parseConfig(text, file);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

/** The file after `patch` has applied the patch for rule `b`. */
function applied(text: string): string {
  const patch = modePatch(configOf(text), 'b')!;
  const folder = mkdtempSync(join(tmpdir(), 'mode-patch-'));
  try {
    writeFileSync(join(folder, 'rules.yaml'), text);
    // git is stricter about context than patch.
    execFileSync('git', ['apply', '-'], { cwd: folder, input: patch.text, stdio: ['pipe', 'pipe', 'pipe'] });
    return readFileSync(join(folder, 'rules.yaml'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const forms: Readonly<Record<string, string>> = {
  'a mode on a line of its own': `version: 1\nrules:\n  - name: a\n    mode: dry_run\n    ${trigger}\n    ${actions}\n  - name: b\n    mode: dry_run # until Friday\n    ${trigger}\n    ${actions}\n`,
  'no mode': `version: 1\nrules:\n  - name: a\n    ${trigger}\n    ${actions}\n\n  - name: b # the second\n    ${trigger}\n    ${actions}\n`,
  'a mode in quotes, first of all': `version: 1\nrules:\n- mode: "dry_run"\n  name: 'b'\n  ${trigger}\n  ${actions}\n`,
  'braces, with and without a mode': `version: 1\nrules:\n  - {name: a, mode: dry_run, ${trigger}, ${actions}}\n  - {name: b, mode: dry_run, ${trigger}, ${actions}}`,
  'braces without a mode': `version: 1\nrules: [{name: b, ${trigger}, ${actions}}]`,
  'a mode at the very end, without a line break': `version: 1\nrules:\n  - name: b\n    ${trigger}\n    ${actions}\n    mode: dry_run`,
  'line breaks of Windows': `version: 1\r\nrules:\r\n  - name: b\r\n    ${trigger}\r\n    ${actions}\r\n`,
};

test.each(Object.entries(forms))('a patch makes the rule enforce and changes nothing else: %s', (_form, text) => {
  const before = configOf(text).document;
  const after = configOf(applied(text)).document;
  expect(after).toEqual({
    ...before,
    rules: before.rules.map((rule) => (rule.name === 'b' ? { ...rule, mode: 'enforce' } : rule)),
  });
});

test('there is no patch if no single line sets the mode', () => {
  const anchored = `version: 1\nrules:\n  - name: a\n    mode: &m dry_run\n    ${trigger}\n    ${actions}\n  - name: b\n    mode: *m\n    ${trigger}\n    ${actions}\n`;
  expect([modePatch(configOf(anchored), 'a'), modePatch(configOf(anchored), 'b')]).toEqual([undefined, undefined]);
  expect(modePatch(configOf(anchored), 'c')).toBeUndefined();
});

test('leaves out neighbouring lines that may contain a secret, and the patch still applies', () => {
  const text = `version: 1\nreceivers: [{name: noc, webhook_configs: [{url: "https://noc.example/T0/not-a-real-one"}]}]\nrules:\n  # the old token was abc\n  - name: b\n    ${trigger}\n    ${actions}\n`;
  const { text: patch, file, line } = modePatch(configOf(text), 'b')!;
  expect(patch).toBe(
    `--- a/rules.yaml\n+++ b/rules.yaml\n@@ -5,2 +5,3 @@\n   - name: b\n+    mode: enforce\n     ${trigger}\n`,
  );
  expect([file, line]).toEqual(['rules.yaml', 6]);
  expect(applied(text)).toContain('    mode: enforce\n');
});
