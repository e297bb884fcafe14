// webhook: one message to an address from a file or from the configuration, signed when a key is given, retried with backoff.

import { AppError } from '#domain/errors.ts';
import { Secret } from '#domain/secret.ts';
import { visibleLine } from '#domain/visible-text.ts';
import { sendLogged } from './delivery-log.ts';
import type { ActionHandler } from './ports.ts';
import { onlyIfFailsFresh, planned } from './preconditions.ts';
import { mostPutOffMs, putOffBy } from './receivers.ts';

export const webhook: ActionHandler<'webhook'> = async (job, context) => {
  const { url_file: urlFile, url: plainUrl, method = 'POST', body, hmac_key_file: hmacKeyFile } = job.params;
  const skip = await onlyIfFailsFresh(job, context);
  if (skip) return skip;
  if ((urlFile === undefined) === (plainUrl === undefined))
    throw new AppError('WEBHOOK_REFUSED', 'a webhook needs exactly one of url and url_file');
  if (job.dryRun)
    return planned([`${method} ${urlFile === undefined ? hostOf(plainUrl!) : `the address in ${urlFile}`}`], undefined);
  const url = urlFile === undefined ? new Secret(plainUrl!) : await context.readSecretFile(urlFile, job);
  const hmacKey = hmacKeyFile === undefined ? undefined : await context.readSecretFile(hmacKeyFile, job);
  const content = body ?? {
    action: 'webhook',
    channelArn: job.channelArn,
    cause: job.cause,
    decidedAt: new Date(job.decidedAtMs).toISOString(),
  };
  const text = visible(typeof content === 'string' ? content : JSON.stringify(content));
  await context.progress('send', { attempt: context.attempt });
  const sending = sendLogged(context, url, {
    method,
    body: text,
    contentType: isJson(text) ? 'application/json' : 'text/plain; charset=utf-8',
    deliveryId: context.jobId,
    ...(hmacKey ? { hmacKey } : {}),
  });
  const status = await sending.catch((error: unknown) => {
    throw putOffOr(error, { decidedAtMs: job.decidedAtMs, nowMs: context.state.nowMs() });
  });
  return { outcome: 'done', status };
};

/** A receiver that asks for time (Retry-After) is left alone for this long without spending an attempt, but not forever. */
function putOffOr(
  error: unknown,
  { decidedAtMs, nowMs }: { readonly decidedAtMs: number; readonly nowMs: number },
): unknown {
  const delayMs = putOffBy(error);
  if (delayMs === undefined || nowMs - decidedAtMs >= mostPutOffMs) return error;
  const { message } = error as AppError;
  return new AppError('WEBHOOK_FAILED', message, { cause: error, disposition: { kind: 'retry-after', delayMs } });
}

function hostOf(url: string): string {
  return URL.parse(url)?.host ?? 'invalid address';
}

/**
 * Text from strangers stays text, even in a body that a template made. Line breaks and tabs are the body's own layout: in
 * JSON they occur only between values, and everything else that is made visible occurs in strings, whose meaning stays the same.
 */
function visible(text: string): string {
  return text
    .split(/([\t\r\n])/)
    .map((part, index) => (index % 2 === 0 ? visibleLine(part) : part))
    .join('');
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
