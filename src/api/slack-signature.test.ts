import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { Secret } from '#domain/secret.ts';
import { mostSkewMs, signatureOf } from './slack-signature.ts';

/** Made for this test. */
const secret = 'not-a-secret-of-any-slack-app-00';
const nowMs = 1_760_000_000_000;
const time = String(nowMs / 1000);
const body: Buffer = Buffer.from('payload=%7B%22type%22%3A%22block_actions%22%7D');
const sign = (text: Buffer | string = body, at = time, key = secret) =>
  `v0=${createHmac('sha256', key).update(`v0:${at}:`).update(text).digest('hex')}`;
const check = (
  headers: Record<string, string>,
  { given = body, secrets = [secret], at = nowMs }: { given?: Buffer; secrets?: readonly string[]; at?: number } = {},
) => {
  try {
    return signatureOf(
      { headers, body: given },
      secrets.map((each) => new Secret(each)),
      at,
    );
  } catch (error) {
    return (error as { code: string }).code;
  }
};
const headersOf = (signature: string, at = time) => ({
  'x-slack-request-timestamp': at,
  'x-slack-signature': signature,
});
const refused = 'SLACK_SIGNATURE_INVALID';

test('accepts a request signed with any of the secrets, for five minutes', () => {
  const signature = sign();
  expect(check(headersOf(signature))).toBe(signature);
  expect(check(headersOf(signature), { secrets: ['another-secret-of-another-app-00', secret] })).toBe(signature);
  expect(check(headersOf(signature), { at: nowMs + mostSkewMs })).toBe(signature);
  expect(check(headersOf(signature), { at: nowMs + mostSkewMs + 1 })).toBe(refused);
  expect(check(headersOf(signature), { at: nowMs - mostSkewMs - 1 })).toBe(refused);
});

/** The example in Slack's own documentation: its values are public and belong to no app. */
test('the documented example has the documented signature', () => {
  const example = Buffer.from(
    'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
  );
  const signature = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503';
  expect(
    check(headersOf(signature, '1531420618'), {
      given: example,
      secrets: ['8f742231b10e8888abcd99yyyzzz85a5'],
      at: 1_531_420_618_000,
    }),
  ).toBe(signature);
});

test.each<[string, Record<string, string>, { given?: Buffer; secrets?: string[] }?]>([
  ['no headers', {}],
  ['no time', { 'x-slack-signature': sign() }],
  ['no signature', { 'x-slack-request-timestamp': time }],
  ['another body', headersOf(sign()), { given: Buffer.from(`${body.toString()} `) }],
  ['another time', headersOf(sign(), String(Number(time) + 1))],
  ['another secret', headersOf(sign(body, time, 'another-secret-of-another-app-00'))],
  ['another version', headersOf(sign().replace('v0=', 'v1='))],
  ['half a signature', headersOf(sign().slice(0, 40))],
  ['an invalid time', headersOf(sign(body, '1e9'), '1e9')],
  ['an empty secret, which anybody has', headersOf(sign(body, time, '')), { secrets: ['', ' '] }],
  ['no secret', headersOf(sign()), { secrets: [] }],
])('refuses a request with %s', (_, headers, options) => {
  expect(check(headers, options)).toBe(refused);
});
