// `silence add` and `silence edit` with channels by name, against a server that answers as the daemon does.
import { expect, test } from 'vitest';
import { runAgainstStub } from '#test/support/stub-daemon.ts';

const arnOf = (id: string) => `arn:aws:ivs:us-west-2:111122223333:channel/${id}`;
const match = {
  matches: { rules: 1, channels: 1 },
  matchesNothing: false,
  examples: { rules: ['slate'] },
  didYouMean: [],
};

async function run(...args: string[]) {
  const channels = ['a', 'b'].map((id) => ({ arn: arnOf(id), name: `studio-${id}`, tags: {} }));
  const time = '2026-11-20T20:00:00.000Z';
  const { code, text, asked } = await runAgainstStub(['silence', ...args], ({ method }) => ({
    body: method === 'GET' ? { channels } : { ...match, id: 's-1', starts: time, ends: time },
  }));
  return { code, text, sent: asked.flatMap(({ body }) => (body?.matchers ? [body.matchers as string[]] : [])) };
}

test.each([
  ['channel=studio-a', `channel="${arnOf('a')}"`],
  ['channel != "studio-b"', `channel!="${arnOf('b')}"`],
  ['channel=b', `channel="${arnOf('b')}"`],
  [`channel="${arnOf('a')}"`, `channel="${arnOf('a')}"`],
  ['channel_name="studio-a"', 'channel_name="studio-a"'],
])('the matcher %s may name a channel as any other command', async (written, sent) => {
  const added = await run('add', written, 'rule="slate"', '--for', '1h');
  expect([added.code, added.sent]).toEqual([
    0,
    [
      [sent, 'rule="slate"'],
      [sent, 'rule="slate"'],
    ],
  ]);
  const edited = await run('edit', 's-0', written);
  expect([edited.code, edited.sent]).toEqual([0, [[sent], [sent]]]);
});

test('a name that no channel has is refused with the one that was probably meant', async () => {
  const { code, sent, text } = await run('add', 'channel=studio-aa', '--for', '1h');
  expect([code, sent]).toEqual([1, []]);
  expect(text).toContain('No channel has the ARN, id or name studio-aa (did you mean studio-a?)');
});

test('a word that is no matcher gets the matcher of a channel, and the hold', async () => {
  const { code, sent, text } = await run('add', 'studio-a', '--for', '1h');
  expect([code, sent]).toEqual([2, []]);
  expect(text).toContain('for a channel write channel="studio-a"');
  expect(text).toContain('`ivs-autopilot hold studio-a`');
});
