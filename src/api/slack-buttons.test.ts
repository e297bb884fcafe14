import { createHmac } from 'node:crypto';
import pino from 'pino';
import { expect, test } from 'vitest';
import { AppError } from '#domain/errors.ts';
import { Secret } from '#domain/secret.ts';
import { auditEntries } from '#journal/audit.ts';
import { MemoryState } from '#store/memory-state.ts';
import { receiverOf } from '#test/support/receivers.ts';
import { clearAlerts, raiseAlert } from '#workers/alerts.ts';
import { acknowledge, openAlerts } from './alerts.ts';
import type { Said } from './routes/approvals.ts';
import { SlackButtons, type SlackButtonsOptions } from './slack-buttons.ts';

/** Made for this test. */
const secret = 'not-a-secret-of-any-slack-app-00';
const channelArn = 'arn:aws:ivs:us-west-2:111122223333:channel/a';

function setup(more: Partial<SlackButtonsOptions> = {}) {
  let nowMs = 1_760_000_000_000;
  let presses = 0;
  const state = new MemoryState({ now: () => nowMs });
  const shards = [{ name: 'main', state }];
  const sources = { shards, config: () => ({ loadedAtMs: 0 }) };
  const replies: { url: string; text: string }[] = [];
  const said: Said[] = [];
  const receiver = receiverOf({
    name: 'noc',
    slack_configs: [{ api_url: 'https://hooks.slack.example/x', signing_secret_file: '/run/secrets/slack' }],
  });
  const slack = new SlackButtons({
    ...sources,
    receivers: () => [receiver],
    approvers: () => [
      { name: 'mara', slack_user_id: 'UMARA', role: 'operator' },
      { name: 'bob', slack_user_id: 'UBOB', role: 'admin' },
    ],
    approvals: {
      say: (_id, given) => {
        said.push(given);
        return Promise.reject(
          new AppError('APPROVAL_OVER', 'it was over at noon (timed out); this answer did nothing'),
        );
      },
    },
    access: {
      secret: () => Promise.resolve(new Secret(secret)),
      reply: (url, { body }) => {
        replies.push({ url, text: (body as { text: string }).text });
        return Promise.resolve();
      },
    },
    scrub: (text) => text.replaceAll('hush', '…'),
    logger: pino({ level: 'silent' }),
    ...more,
  });
  const signed = (payload: object | string) => {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    const body = Buffer.from(new URLSearchParams({ payload: text }).toString());
    const time = String(Math.floor(nowMs / 1000));
    const digest = createHmac('sha256', secret).update(`v0:${time}:`).update(body).digest('hex');
    return { headers: { 'x-slack-request-timestamp': time, 'x-slack-signature': `v0=${digest}` }, body };
  };
  const press = (user: string, action: string, value: string) => {
    presses += 1;
    const { headers, body } = signed({
      type: 'block_actions',
      user: { id: user, name: 'root' },
      trigger_id: String(presses),
      actions: [{ action_id: action, value }],
      response_url: 'https://hooks.slack.example/answer',
    });
    return slack.take(headers, body);
  };
  const keyless = () =>
    state.transact((tx) => raiseAlert(tx, { kind: 'keyless', channelArn, text: 'no key', jobId: 'j' }));
  const valueNow = () => {
    const [alert] = openAlerts(sources);
    return `${alert!.since} ${alert!.id}`;
  };
  return {
    slack,
    state,
    sources,
    replies,
    said,
    signed,
    press,
    keyless,
    valueNow,
    pass: (ms: number) => void (nowMs += ms),
  };
}

test('Acknowledge acknowledges the alert as the mapped person; a second press, another person and a late press each get their answer', async () => {
  const t = setup();
  await t.keyless();
  const value = t.valueNow();
  t.pass(1_000);

  expect(await t.press('UMARA', 'acknowledge', value)).toMatchObject({
    response_type: 'in_channel',
    text: expect.stringMatching(/^mara has it: Channel without a stream key/),
  });
  expect(openAlerts(t.sources)).toMatchObject([{ acknowledged: { who: 'user mara', note: 'by a button in Slack' } }]);
  expect(await t.press('UMARA', 'acknowledge', value)).toMatchObject({
    text: expect.stringMatching(/^You have it since/),
  });
  expect(await t.press('UBOB', 'acknowledge', value)).toMatchObject({
    response_type: 'ephemeral',
    text: expect.stringMatching(/^mara has it since .*use the page/),
  });

  // It ends and begins again: buttons in the old message no longer count.
  await t.state.transact((tx) => clearAlerts(tx, channelArn));
  expect(await t.press('UMARA', 'acknowledge', value)).toMatchObject({ text: expect.stringContaining('over') });
  t.pass(1_000);
  await t.keyless();
  expect(await t.press('UBOB', 'acknowledge', value)).toMatchObject({ text: expect.stringContaining('earlier alert') });
  expect(openAlerts(t.sources)[0]?.acknowledged).toBeUndefined();
  expect(t.replies).toHaveLength(5);
  expect(t.replies[0]).toEqual({
    url: 'https://hooks.slack.example/answer',
    text: expect.stringContaining('mara has it'),
  });
});

test('a replica that saw the alert begin at a different time than the sender of the message accepts the answer too', async () => {
  const t = setup({ config: () => ({ loadedAtMs: 0, triedAtMs: 1_760_000_000_000, error: 'no YAML' }) });
  t.pass(60_000);
  expect(await t.press('UMARA', 'acknowledge', '1759999999999 config')).toMatchObject({
    text: expect.stringContaining('earlier alert'),
  });
  expect(await t.press('UMARA', 'acknowledge', 'NaN config')).toMatchObject({
    text: expect.stringContaining('earlier alert'),
  });
  expect(await t.press('UMARA', 'acknowledge', '1760000060000 config')).toMatchObject({
    text: expect.stringContaining('mara has it'),
  });
});

test('a user who is not mapped can do nothing, whatever name the request gives, and the audit records the attempt', async () => {
  const t = setup();
  await t.keyless();
  expect(await t.press('UEVE', 'acknowledge', t.valueNow())).toMatchObject({
    response_type: 'ephemeral',
    text: expect.stringMatching(/^Nothing was done: the Slack user UEVE is not in `approvers`/),
  });
  expect(await t.press('UEVE', 'approve', 'ap-1')).toMatchObject({ text: expect.stringContaining('Nothing was done') });
  expect(t.said).toEqual([]);
  const rows = [];
  for await (const { who, what, outcome } of auditEntries(t.state, {})) rows.push([who, what, outcome]);
  expect(rows).toEqual([
    ['slack UEVE', 'approve', 'refused'],
    ['slack UEVE', 'acknowledge', 'refused'],
  ]);
});

test('Approve and Reject count for the mapped person with their role; a press that cannot count gets the reason', async () => {
  const t = setup();
  expect(await t.press('UBOB', 'approve', 'ap-1')).toMatchObject({
    response_type: 'ephemeral',
    text: 'Nothing was done: it was over at noon (timed out); this answer did nothing.',
  });
  expect(t.said).toEqual([
    { kind: 'approve', who: 'user bob', role: 'admin', from: 'slack UBOB', reason: 'by a button in Slack' },
  ]);
});

test('a standby accepts no approval', async () => {
  const t = setup({ standsBy: () => true });
  expect(await t.press('UBOB', 'approve', 'ap-1')).toMatchObject({ text: expect.stringContaining('standby') });
  expect(t.said).toEqual([]);
});

test('accepts a request once across replicas, and never a forged, old or malformed one', async () => {
  const t = setup();
  await t.keyless();
  const { headers, body } = t.signed({
    type: 'block_actions',
    user: { id: 'UMARA' },
    actions: [{ action_id: 'acknowledge', value: t.valueNow() }],
  });
  const take = (changes: object = {}, given = body) =>
    t.slack.take({ ...headers, ...changes }, given).catch((error: unknown) => (error as AppError).code);
  expect(await take({ 'x-slack-signature': `v0=${'0'.repeat(64)}` })).toBe('SLACK_SIGNATURE_INVALID');
  expect(await take({}, Buffer.from('payload={}'))).toBe('SLACK_SIGNATURE_INVALID');
  expect(openAlerts(t.sources)[0]?.acknowledged).toBeUndefined();
  expect(await take()).toMatchObject({ text: expect.stringContaining('mara has it') });
  expect(await take()).toBe('SLACK_REPLAYED');
  t.pass(301_000);
  expect(await take()).toBe('SLACK_SIGNATURE_INVALID');

  for (const payload of ['', '{', '[]', '{"type":"block_actions"}', '{"type":"block_actions","user":{"id":7}}']) {
    const broken = t.signed(payload);
    await expect(t.slack.take(broken.headers, broken.body)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  }
  // A button that opens a link, or another app's.
  expect(await t.press('UMARA', 'open', 'x')).toBeUndefined();
  expect(
    await setup({ receivers: () => [] })
      .press('UMARA', 'approve', 'x')
      .catch(({ code }: AppError) => code),
  ).toBe('NOT_FOUND');
});

test('names an unreadable signing secret in the log, and not in the response', async () => {
  const unreadable = new AppError('SECRET_FILE_UNREADABLE', '/run/secrets/slack: it is empty');
  const access = { secret: () => Promise.reject(unreadable), reply: () => Promise.resolve() };
  const error = await setup({ access })
    .press('UMARA', 'approve', 'x')
    .catch((thrown: AppError) => thrown);
  expect(error).toMatchObject({ code: 'SECRET_FILE_UNREADABLE', cause: unreadable });
  expect((error as AppError).message).not.toContain('/run');
});

test('an unreachable Redis does not stop anybody from acknowledging an alert on another Redis', async () => {
  const t = setup();
  const away = new MemoryState({ now: () => 1_760_000_000_000 });
  away.refresh = () => Promise.reject(new AppError('REDIS_UNREACHABLE', 'it does not answer'));
  await t.keyless();
  const shards = [...t.sources.shards, { name: 'two', state: away }];
  const all = setup({ shards, isOne: false });
  const [alert] = openAlerts({ ...t.sources, shards, isOne: false });
  expect(await all.press('UMARA', 'acknowledge', `${alert!.since} ${alert!.id}`)).toMatchObject({
    text: expect.stringContaining('mara has it'),
  });
});

test('the text of an alert cannot mention people in Slack', async () => {
  const t = setup();
  await t.state.transact((tx) =>
    raiseAlert(tx, { kind: 'keyless', channelArn, text: '<!channel> & co hush', jobId: 'j' }),
  );
  expect(await t.press('UMARA', 'acknowledge', t.valueNow())).toMatchObject({
    text: expect.stringContaining('&lt;!channel&gt; &amp; co …'),
  });
  await acknowledge(t.sources, openAlerts(t.sources)[0]!.id, { who: 'token ann', note: '' });
});
