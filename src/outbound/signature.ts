// How a receiver knows that a message is ours and recent: HMAC-SHA256 over the time and the body.
import { createHmac } from 'node:crypto';
import type { Secret } from '#domain/secret.ts';

/**
 * Headers that sign a body. The signature is `v1=` and the hexadecimal HMAC-SHA256 of `<timestamp>.<body>`; the timestamp is in seconds,
 * so that a receiver can refuse old copies.
 */
export function signatureHeaders(body: string, key: Secret, nowMs: number): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1000));
  const digest = createHmac('sha256', key.reveal()).update(`${timestamp}.${body}`).digest('hex');
  return { 'x-autopilot-timestamp': timestamp, 'x-autopilot-signature': `v1=${digest}` };
}
