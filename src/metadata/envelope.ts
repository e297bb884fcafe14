// What goes over the wire: items in an envelope `{"v":1,"items":[{"id","t","d"}]}`, or one payload without an envelope.
// src/player/cues.ts reads it; docs and the player's README show it.
import { randomUUID } from 'node:crypto';

export type Payload = string | Readonly<Record<string, unknown>>;

const opening = '{"v":1,"items":[';
const closing = ']}';

/** UTF-8 bytes of an envelope without items; each item adds its own, and a comma from the second on. */
export const emptyEnvelopeBytes = opening.length + closing.length;

/** An id for an item: 48 random bits as eight characters, short because each call carries it. The outbox refuses an id in use. */
export function newItemId(): string {
  // A UUID needs no system call; its first twelve digits are random.
  const digits = randomUUID().replace('-', '').slice(0, 12);
  return Buffer.from(digits, 'hex').toString('base64url');
}

/** An item as it appears in an envelope. `t` is when it was accepted, epoch ms. */
export function encodeItem({ id, t, payload }: { id: string; t: number; payload: Payload }): string {
  return JSON.stringify({ id, t, d: typeof payload === 'string' ? payload.toWellFormed() : payload });
}

/** The payload of an encoded item. */
export function payloadOf(encodedItem: string): Payload {
  return (JSON.parse(encodedItem) as { readonly d: Payload }).d;
}

/** A payload as it is sent without an envelope. */
export function encodePlain(payload: Payload): string {
  return typeof payload === 'string' ? payload.toWellFormed() : JSON.stringify(payload);
}

/** The envelope around encoded items, in order. */
export function envelopeOf(encodedItems: readonly string[]): string {
  return opening + encodedItems.join(',') + closing;
}

/** UTF-8 bytes of one call that carries items of these sizes. */
export function envelopeBytes(itemBytes: readonly number[]): number {
  return emptyEnvelopeBytes + itemBytes.reduce((sum, bytes) => sum + bytes, 0) + Math.max(0, itemBytes.length - 1);
}

/** Returns the UTF-8 bytes of each call when items of these sizes are packed in order. */
export function callSizes(itemBytes: readonly number[], maxBytes: number): readonly number[] {
  const calls: number[] = [];
  let open: number[] = [];
  for (const bytes of itemBytes) {
    if (open.length === 0 || envelopeBytes([...open, bytes]) > maxBytes) {
      open = [];
      calls.push(0);
    }
    open.push(bytes);
    calls[calls.length - 1] = envelopeBytes(open);
  }
  return calls;
}
