// Combines pictures of a page into an animated WebP. Chromium encodes the changed rectangle of each picture, so no encoder is a dependency;
// the container around them is built here: https://developers.google.com/speed/webp/docs/riff_container
import type { Page } from 'playwright-core';

/** A changed rectangle of the page, encoded as a WebP still, and how long it is shown. */
export interface Frame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly durationMs: number;
  readonly webp: Buffer;
}

const lastShownMs = 4_000;

/** In Chromium: the rectangle that differs from the previous picture, as a WebP; null if there is none. Offsets must be even. */
const encoder = `
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
  let before;
  globalThis.changeOf = async (png) => {
    const bytes = Uint8Array.from(atob(png), (character) => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const { width, height } = bitmap;
    [canvas.width, canvas.height] = [width, height];
    context.drawImage(bitmap, 0, 0);
    const now = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
    let [left, top, right, bottom] = [width, height, -1, -1];
    for (let index = 0; index < now.length; index += 1) {
      if (before && now[index] === before[index]) continue;
      const [x, y] = [index % width, Math.floor(index / width)];
      [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
    }
    before = now;
    if (right < 0) return null;
    const box = { x: left & ~1, y: top & ~1, width: 0, height: 0 };
    [box.width, box.height] = [right + 1 - box.x, bottom + 1 - box.y];
    const part = new OffscreenCanvas(box.width, box.height);
    part.getContext('2d', { alpha: false }).drawImage(bitmap, -box.x, -box.y);
    // Text stays sharp without loss; large changes are smaller with a little loss.
    const encoded = (quality) => part.convertToBlob({ type: 'image/webp', quality });
    const [exact, close] = await Promise.all([encoded(1), encoded(0.85)]);
    const webp = new Uint8Array(await (exact.size < close.size ? exact : close).arrayBuffer());
    let text = '';
    for (const byte of webp) text += String.fromCharCode(byte);
    return { ...box, webp: btoa(text) };
  };
`;

function uint24(value: number): Buffer {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntLE(value, 0, 3);
  return bytes;
}

function chunk(name: string, data: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(data.length);
  return Buffer.concat([Buffer.from(name, 'latin1'), length, data, Buffer.alloc(data.length % 2)]);
}

/** The chunks of a WebP still that hold its pixels. */
function pixelsOf(webp: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 12; at + 8 <= webp.length; ) {
    const name = webp.toString('latin1', at, at + 4);
    const end = at + 8 + webp.readUInt32LE(at + 4);
    if (['ALPH', 'VP8 ', 'VP8L'].includes(name)) parts.push(chunk(name, webp.subarray(at + 8, end)));
    at = end + (end % 2);
  }
  if (parts.length === 0) throw new Error('Chromium encoded no pixels');
  return Buffer.concat(parts);
}

/** An animated WebP that repeats forever; each frame replaces its rectangle. */
export function animation(width: number, height: number, frames: readonly Frame[]): Buffer {
  const isAnimated = Buffer.from([0b10, 0, 0, 0]);
  const body = Buffer.concat([
    Buffer.from('WEBP', 'latin1'),
    chunk('VP8X', Buffer.concat([isAnimated, uint24(width - 1), uint24(height - 1)])),
    chunk('ANIM', Buffer.alloc(6)),
    ...frames.map((frame) =>
      chunk(
        'ANMF',
        Buffer.concat([
          ...[frame.x / 2, frame.y / 2, frame.width - 1, frame.height - 1, frame.durationMs].map(uint24),
          Buffer.from([0b10]),
          pixelsOf(frame.webp),
        ]),
      ),
    ),
  ]);
  return chunk('RIFF', body);
}

/** What changes from picture to picture (PNG), encoded by this page of Chromium. Each picture is shown for `shownMs`, the last one longer. */
export async function framesOf(pictures: readonly Buffer[], darkroom: Page, shownMs: number): Promise<Frame[]> {
  await darkroom.evaluate(encoder);
  const frames: Frame[] = [];
  for (const png of pictures) {
    const change = await darkroom.evaluate<(Omit<Frame, 'webp' | 'durationMs'> & { webp: string }) | null>(
      `changeOf('${png.toString('base64')}')`,
    );
    const last = frames.at(-1);
    if (change !== null) frames.push({ ...change, webp: Buffer.from(change.webp, 'base64'), durationMs: shownMs });
    else if (last) frames[frames.length - 1] = { ...last, durationMs: last.durationMs + shownMs };
  }
  return frames.map((frame, index) => (index === frames.length - 1 ? { ...frame, durationMs: lastShownMs } : frame));
}
