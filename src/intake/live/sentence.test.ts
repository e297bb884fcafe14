import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '#config/load.ts';
import { ruleSentence } from './sentence.ts';

test('the rules of the example configuration read as plain sentences', () => {
  const file = join(import.meta.dirname, '../../../config/autopilot.example.yaml');
  const parsed = parseConfig(readFileSync(file, 'utf8'), file);
  if (!parsed.ok) throw new Error('the example configuration is not valid');

  const sentences = Object.fromEntries(parsed.config.ruleset.rules.map((rule) => [rule.name, ruleSentence(rule)]));

  expect(sentences['starving-slate']).toBe(
    'When health is STARVING for 30s, and tags.tier is gold or silver and tags.ops-hold is not there: notify, put metadata, ' +
      'after 3m stop stream if health is STARVING and viewerCount < 50. When it is over: put metadata. ' +
      'Again after 10m at the earliest, at most 6 an hour, never on more than 5 % of what is live.',
  );
  expect(sentences['rotate-key-after-show']).toContain(
    'an event comes whose source is aws.ivs and detail-type is IVS Stream State Change and detail.event_name is Stream End for 2m',
  );
  expect(sentences['limit-breach']).toContain('detail.limit_name is Concurrent Viewers or begins with "Ingest "');
  expect(sentences['viewer-milestone']).toContain('viewerCount rises to 1000 or 10000 or 100000');
});
