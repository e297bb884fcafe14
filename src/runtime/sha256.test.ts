import { createHash, createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { Sha256 } from './sha256.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

async function digestOf(data: string | Uint8Array, secret?: ConstructorParameters<typeof Sha256>[0]): Promise<string> {
  const hash = new Sha256(secret);
  hash.update(data);
  return hex(await hash.digest());
}

test('hashes text and bytes', async () => {
  const text = 'PUT\n/größe';

  expect(await digestOf(text)).toBe(createHash('sha256').update(text).digest('hex'));
  expect(await digestOf(Buffer.from(text))).toBe(createHash('sha256').update(text).digest('hex'));
});

// The test cases of RFC 4231. https://www.rfc-editor.org/rfc/rfc4231#section-4
test.each([
  [new Uint8Array(20).fill(0x0b), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  ['Jefe', 'what do ya want for nothing?', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'],
  [
    new Uint8Array(131).fill(0xaa),
    'Test Using Larger Than Block-Size Key - Hash Key First',
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
])('makes the HMAC of RFC 4231, %#', async (secret, data, digest) => {
  expect(await digestOf(data, secret)).toBe(digest);
  // The key is kept.
  expect(await digestOf(data, secret)).toBe(digest);
});

test('takes a secret in every form, and only the part of a buffer that a view shows', async () => {
  const bytes = Buffer.from('before the secret after').subarray(11, 17);
  const expected = createHmac('sha256', 'secret').update('data').digest('hex');

  for (const secret of [
    'secret',
    bytes,
    new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength),
  ])
    expect(await digestOf('data', secret)).toBe(expected);
});

test('reads the bytes of a secret once: each later HMAC with them uses the same key', async () => {
  const secret = new Uint8Array(32).fill(7);
  const first = await digestOf('data', secret);

  secret.fill(8);

  expect(await digestOf('data', secret)).toBe(first);
});

test('begins again after a reset', async () => {
  const hash = new Sha256('secret');
  hash.update('forgotten');

  hash.reset();
  hash.update('data');

  expect(hex(await hash.digest())).toBe(createHmac('sha256', 'secret').update('data').digest('hex'));
});
