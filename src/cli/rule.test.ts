// `rule reset`, against a server that answers as the daemon does.
import { expect, test } from 'vitest';
import { runAgainstStub } from '#test/support/stub-daemon.ts';

test('starts a stopped rule again, with the reason', async () => {
  const { code, asked, text } = await runAgainstStub(['rule', 'reset', 'slate', '--reason', 'repaired'], () => ({
    body: { restarted: true },
  }));

  expect([code, text.trim()]).toEqual([0, 'The rule slate may act again.']);
  expect(asked).toEqual([{ method: 'POST', url: '/v1/rules/slate/reset', body: { reason: 'repaired' } }]);
});

test('a rule that is not stopped is a problem', async () => {
  const { code, text } = await runAgainstStub(['rule', 'reset', 'slate'], () => ({
    status: 404,
    body: { code: 'NOT_FOUND', detail: 'the rule slate is not stopped' },
  }));

  expect(code).toBe(1);
  expect(text).toContain('the rule slate is not stopped');
});
