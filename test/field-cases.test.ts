// Cases from practice with the correct result: files of test/fixtures/field-cases. Similar cases are tested next to the code.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { checkConfig } from '#config/lint.ts';
import { formatProblem } from '#config/problem.ts';

/** What `validate` reports for a case. */
function problemsOf(name: string): string[] {
  const text = readFileSync(new URL(`./fixtures/field-cases/${name}`, import.meta.url), 'utf8');
  return checkConfig(text, name).problems.map(formatProblem);
}

test('fields that no event has: an error with its place, and where the information is', () => {
  expect(problemsOf('detail-fields.yaml')).toEqual([
    expect.stringMatching(
      /^detail-fields\.yaml:5:\d+ rules\[0\]\.trigger\.event\.detail\.channel_arn: .*the channel is in `resources`/,
    ),
    expect.stringMatching(
      /^detail-fields\.yaml:8:\d+ rules\[1\]\.trigger\.event\.detail\.recording_state: .*did you mean recording_status/,
    ),
    expect.stringMatching(/^detail-fields\.yaml:11:\d+ rules\[2\]\.trigger\.event\.detail\.stage_arn: .*Real-Time/),
    expect.stringMatching(
      /^detail-fields\.yaml:15:\d+ rules\[3\]\.actions\[0\]\.notify\.text: .*the channel is in `resources`/,
    ),
  ]);
});

test('an ad-break event is known', () => {
  expect(problemsOf('ad-break.yaml')).toEqual([]);
});

test('tags are text: an error that says to write quotation marks', () => {
  const problems = problemsOf('tag-types.yaml');

  expect(problems.map((problem) => /rules\[(\d)\]\.match\.tags/.exec(problem)?.[1])).toEqual(['0', '1', '2', '3']);
  for (const problem of problems) expect(problem).toContain('tags are text');
  expect(problems[3]).toContain('it excludes nothing');
});

test('Regions without Amazon IVS, display names and queues of other Regions: an error each', () => {
  expect(problemsOf('regions.yaml')).toEqual([
    expect.stringMatching(/accounts\[0\]\.region: Amazon IVS is not in us-east-2/),
    expect.stringMatching(/accounts\[1\]\.region: .*write its code, us-west-2/),
    expect.stringMatching(/accounts\[2\]\.queue_url: the queue is in eu-west-1, but the entry is for us-west-2/),
  ]);
});

test('30 February: an error, because it never occurs', () => {
  expect(problemsOf('bad-times.yaml')).toEqual([
    expect.stringMatching(/^bad-times\.yaml:3:\d+ time_intervals\[0\]\.time_intervals\[0\]: .*no day matches/),
  ]);
});
