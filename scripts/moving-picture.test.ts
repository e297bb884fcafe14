import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { animation } from './moving-picture.ts';

/** A lossless still of one pixel, in its container. */
const pixel = Buffer.from('UklGRhIAAABXRUJQVlA4TAUAAAAvAAAAAAA=', 'base64');

/** Names of the chunks from an offset on, with their data. */
function chunksOf(bytes: Buffer, from: number): [name: string, data: Buffer][] {
  const chunks: [string, Buffer][] = [];
  for (let at = from; at + 8 <= bytes.length; ) {
    const end = at + 8 + bytes.readUInt32LE(at + 4);
    chunks.push([bytes.toString('latin1', at, at + 4), bytes.subarray(at + 8, end)]);
    at = end + (end % 2);
  }
  return chunks;
}

test('an animation has its size, and each frame has its place, size, duration and pixels', () => {
  const box = { x: 4, y: 6, width: 1, height: 1, webp: pixel };
  const bytes = animation(1280, 560, [
    { ...box, durationMs: 600 },
    { ...box, durationMs: 4_000 },
  ]);

  expect(bytes.toString('latin1', 0, 4)).toBe('RIFF');
  expect(bytes.readUInt32LE(4)).toBe(bytes.length - 8);
  expect(bytes.toString('latin1', 8, 12)).toBe('WEBP');
  const chunks = chunksOf(bytes, 12);
  expect(chunks.map(([name]) => name)).toEqual(['VP8X', 'ANIM', 'ANMF', 'ANMF']);
  const [header, , first, second] = chunks.map(([, data]) => data);
  expect([header!.readUIntLE(4, 3) + 1, header!.readUIntLE(7, 3) + 1]).toEqual([1280, 560]);
  expect([0, 3, 6, 9, 12].map((at) => first!.readUIntLE(at, 3))).toEqual([2, 3, 0, 0, 600]);
  expect(second!.readUIntLE(12, 3)).toBe(4_000);
  expect(chunksOf(first!, 16).map(([name]) => name)).toEqual(['VP8L']);
});

test('the README shows an animation of at most 1.5 MB', () => {
  const root = join(import.meta.dirname, '..');
  const [, path = ''] = /<img src="([^"]+\.webp)"/.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];

  const bytes = readFileSync(join(root, path));

  expect(bytes.length).toBeLessThanOrEqual(1.5e6);
  expect(chunksOf(bytes, 12).filter(([name]) => name === 'ANMF').length).toBeGreaterThan(10);
});
