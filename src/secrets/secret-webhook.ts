// An HTTPS webhook that receives a new key: signed with HMAC, with address and key from files.
import { randomUUID } from 'node:crypto';
import type { Secret } from '#domain/secret.ts';
import type { SecretSink } from './sink.ts';

/** Sends to an address that people configured; implemented by src/outbound. */
export interface SecretSender {
  /** @throws AppError WEBHOOK_REFUSED */
  checkUrl(url: string, confidential: boolean): unknown;
  /** @throws AppError WEBHOOK_FAILED, WEBHOOK_REFUSED, WEBHOOK_REJECTED */
  send(
    message: {
      readonly method: 'POST';
      readonly url: string;
      readonly body: string;
      readonly contentType: string;
      readonly hmacKey: Secret;
      readonly deliveryId: string;
      readonly confidential: true;
    },
    signal: AbortSignal,
  ): Promise<unknown>;
}

export function webhookSink(
  sender: SecretSender,
  files: { url_file: string; hmac_key_file: string },
  readFile: (path: string) => Promise<Secret>,
): SecretSink {
  return {
    description: `webhook of ${files.url_file}`,
    async check() {
      const [url] = await Promise.all([readFile(files.url_file), readFile(files.hmac_key_file)]);
      sender.checkUrl(url.reveal(), true);
    },
    async deliver({ kind, value, keyArn, channelArn }, signal) {
      const [url, hmacKey] = await Promise.all([readFile(files.url_file), readFile(files.hmac_key_file)]);
      const body = JSON.stringify({ type: kind, channelArn, keyArn, value: value.reveal() });
      await sender.send(
        {
          method: 'POST',
          url: url.reveal(),
          body,
          contentType: 'application/json',
          hmacKey,
          // New for each delivery, because the last one counts, even if it brings a key for the second time.
          deliveryId: `${keyArn.slice(keyArn.lastIndexOf('/') + 1)}-${randomUUID()}`,
          confidential: true,
        },
        signal,
      );
    },
  };
}
