import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '#config/load.ts';
import { ruleSentence } from './sentence.ts';

test('an action that somebody must approve says so', () => {
  const parsed = parseConfig(
    `version: 1
rules:
  - name: slate
    trigger: {state: {health: [STARVING]}}
    actions:
      - {after: 3m, stop_stream: {}, approval: {by: operator, count: 2}}
      - {stop_stream: {}, approval: {by: operator}}
    guards: {max_per_hour: 1}
`,
    'autopilot.yaml',
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed));
  expect(ruleSentence(parsed.config.ruleset.rules[0]!)).toContain(
    'after 3m stop stream once 2 people approve it, stop stream once somebody approves it.',
  );
});

test('says in words what a pattern excludes', () => {
  const parsed = parseConfig(
    `version: 1
rules:
  - name: slate
    trigger: {state: {health: [STARVING]}}
    match: {name: [{anything-but: {prefix: test-}}], tags: {tier: [{anything-but: [gold, silver]}], show: [{equals-ignore-case: cup}]}}
    actions: [{put_metadata: {payload: slate}}]
`,
    'autopilot.yaml',
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed));
  expect(ruleSentence(parsed.config.ruleset.rules[0]!)).toContain(
    'name is not what begins with "test-" and tag tier is not gold or silver and tag show is "cup" ignoring case:',
  );
});

test('the rules of the example configuration read as plain sentences', () => {
  const file = join(import.meta.dirname, '../../../config/autopilot.example.yaml');
  const parsed = parseConfig(readFileSync(file, 'utf8'), file);
  if (!parsed.ok) throw new Error('the example configuration is not valid');

  const sentences = Object.fromEntries(parsed.config.ruleset.rules.map((rule) => [rule.name, ruleSentence(rule)]));

  expect(sentences['starving-slate']).toBe(
    'When health is STARVING for 30s, and tag tier is gold or silver and tag ops-hold is not there: notify, put metadata, ' +
      'after 3m stop stream if health is STARVING and viewers below 50. When it has been over for 15s: put metadata. ' +
      'Fires again no sooner than 10m later on the same channel, at most 6 an hour in all, never on more than 5 % of the live channels.',
  );
  expect(sentences['mass-starvation']).toContain(
    'When the live channels whose health is STARVING are at least 30 % of the live channels for 15s, and at least 10 channels are live: notify.',
  );
  expect(sentences['rotate-key-after-show']).toContain(
    'When the event Stream End comes, and live is false for 2m from then on, and tag key-rotation is on-stream-end:',
  );
  expect(sentences['limit-breach']).toContain(
    'the event IVS Limit Breach whose limit name is Concurrent Viewers or begins with "Ingest " comes',
  );
  expect(sentences['limit-breach']).toContain('later for the same limit name');
  expect(sentences['mass-starvation']).not.toContain('the same');
  expect(sentences['viewer-milestone']).toContain('viewers rise to 1,000 or 10,000 or 100,000');
});
