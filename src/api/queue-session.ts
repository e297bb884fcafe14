// One sign-in for page and queues: a sign-in on the page sets a cookie that opens /queues, and nothing else, in the same browser. The
// cookie contains its expiry, signed with the caller's token. So every replica that knows the token accepts the cookie, and revoking a
// token also revokes its cookies.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { parseCookie, stringifySetCookie } from 'cookie';
import type { Outside } from './outside.ts';

const name = 'ivs-autopilot-queues';
/** A working shift. */
const validMs = 12 * 3_600_000;

/**
 * The Set-Cookie header for a caller.
 * @param key of the caller's token
 */
export function queueCookie(key: Buffer, { outside, nowMs }: { outside: Outside; nowMs: number }): string {
  const untilMs = nowMs + validMs;
  return stringifySetCookie({
    name,
    value: `${untilMs}.${signatureOf(key, untilMs).toString('base64url')}`,
    path: `${outside.prefix}/queues`,
    httpOnly: true,
    sameSite: 'strict',
    secure: outside.https,
  });
}

/** The ticket in a request's Cookie header; undefined if there is none, or it has expired. */
export function queueTicketOf(header: string | undefined, nowMs: number): QueueTicket | undefined {
  const value = header === undefined ? undefined : parseCookie(header)[name];
  const [, until, signature] = /^(\d{13})\.([\w-]{43})$/.exec(value ?? '') ?? [];
  const untilMs = Number(until);
  if (signature === undefined || untilMs <= nowMs || untilMs > nowMs + validMs) return undefined;
  return { untilMs, signature: Buffer.from(signature, 'base64url') };
}

export interface QueueTicket {
  readonly untilMs: number;
  readonly signature: Buffer;
}

/** Whether this key has signed a ticket. */
export function isSignedBy(key: Buffer, { untilMs, signature }: QueueTicket): boolean {
  return timingSafeEqual(signatureOf(key, untilMs), signature);
}

function signatureOf(key: Buffer, untilMs: number): Buffer {
  return createHmac('sha256', key).update(`queues until ${untilMs}`).digest();
}
