// Whether a message may go to an address, judging by its text; where its name leads is checked when the message is sent.
import { AppError } from '#domain/errors.ts';
import { type AddressPolicy, forbiddenHost, settingFor } from './address-guard.ts';

/**
 * The parsed address of a webhook.
 * @param confidential refuses plain HTTP, except to this machine if that is allowed
 * @throws AppError WEBHOOK_REFUSED
 */
export function webhookUrl(text: string, policy: AddressPolicy, confidential = false): URL {
  const url = URL.parse(text);
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new AppError('WEBHOOK_REFUSED', 'the address of a webhook is not an http or https URL');
  assertReachable(url.hostname, forbiddenHost(url.hostname, policy));
  if (confidential && url.protocol !== 'https:' && forbiddenHost(url.hostname) !== 'loopback')
    throw new AppError('WEBHOOK_REFUSED', `${url.hostname}: a secret is sent by https only`);
  return url;
}

/** @param range the kind of forbidden address that the host is or leads to, if any @throws AppError WEBHOOK_REFUSED */
export function assertReachable(hostname: string, range: string | undefined): void {
  if (range === undefined) return;
  const setting = settingFor(range);
  throw new AppError(
    'WEBHOOK_REFUSED',
    `${hostname} is a ${range} address; webhooks go to public addresses${setting ? ` unless ${setting} is true` : ''}`,
    { details: setting === undefined ? {} : { setting } },
  );
}
