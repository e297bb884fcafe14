// The page's feed over a real connection with a slow reader: all ten thousand rows arrive.
import { get, type IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { type PageStand, pageStand } from '#test/support/page-stand.ts';

/** Reads the feed until `ready`; reads nothing for `pauseMs` after the first bytes. Returns the numbers of its rows. */
async function rowsOf(stand: PageStand, pauseMs: number): Promise<{ rows: Set<number>; bytes: number }> {
  const response = await new Promise<IncomingMessage>((done, failed) => {
    get(`${stand.url}/v1/live`, { headers: { authorization: `Bearer ${stand.tokens.viewer}` } }, done).on(
      'error',
      failed,
    );
  });
  const rows = new Set<number>();
  let bytes = 0;
  let rest = '';
  for await (const chunk of response) {
    if (bytes === 0) await new Promise((done) => setTimeout(done, pauseMs));
    bytes += (chunk as Buffer).length;
    const blocks = (rest + String(chunk)).split('\n\n');
    rest = blocks.pop()!;
    for (const block of blocks) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/m.exec(block) ?? [];
      if (name === 'rows') for (const [number] of JSON.parse(data!) as [number][]) rows.add(number);
      if (name !== 'ready') continue;
      response.destroy();
      return { rows, bytes };
    }
  }
  throw new Error(`the feed was cut after ${bytes} bytes and ${rows.size} rows`);
}

test('a reader that pauses for a while is not disconnected, and gets every one of 10,000 rows', async () => {
  // Long tags: more than the system's buffers between the two can hold.
  const note = 'x'.repeat(1_500);
  await using stand = await pageStand({ streams: 10_000, tags: { note } });

  const { rows, bytes } = await rowsOf(stand, 1_500);

  expect(rows.size).toBe(10_000);
  expect(bytes).toBeGreaterThan(15_000_000);
});
