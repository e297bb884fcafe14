// Whether a request comes from Slack: HMAC-SHA256 of `v0:<time>:<body>` with the app's signing secret, at most five minutes old.
// https://docs.slack.dev/authentication/verifying-requests-from-slack
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '#domain/errors.ts';
import type { Secret } from '#domain/secret.ts';

/** How far the time of a request may differ from ours, in both directions. */
export const mostSkewMs = 300_000;
/** Slack's secrets have 32 characters; with an empty one anybody could sign. */
const leastSecret = 16;

/**
 * Returns the signature of a request that one of these secrets has signed: the same request always has the same one.
 * @param body its bytes, as received
 * @throws AppError SLACK_SIGNATURE_INVALID
 */
export function signatureOf(
  { headers, body }: { readonly headers: IncomingHttpHeaders; readonly body: Buffer },
  secrets: readonly Secret[],
  nowMs: number,
): string {
  const time = String(headers['x-slack-request-timestamp'] ?? '');
  const given = String(headers['x-slack-signature'] ?? '');
  if (!/^\d{1,12}$/.test(time) || !/^v0=[0-9a-f]{64}$/.test(given))
    throw invalid('the request has no X-Slack-Request-Timestamp and X-Slack-Signature as Slack writes them');
  if (Math.abs(nowMs - Number(time) * 1000) > mostSkewMs)
    throw invalid(`the request was not signed recently, but at ${new Date(Number(time) * 1000).toISOString()}`);
  const digest = Buffer.from(given.slice('v0='.length), 'hex');
  let isSigned = false;
  // No early exit: the time must not reveal which secret was nearly right.
  for (const secret of secrets) {
    const key = secret.reveal().trim();
    const own = createHmac('sha256', key).update(`v0:${time}:`).update(body).digest();
    if (timingSafeEqual(own, digest) && key.length >= leastSecret) isSigned = true;
  }
  if (!isSigned) throw invalid('the signature does not match any Slack app of the configuration');
  return given;
}

function invalid(message: string): AppError {
  return new AppError('SLACK_SIGNATURE_INVALID', message);
}
