// What buttons in Slack's messages need from outside: signing secrets in files, and the address at which Slack takes answers.
import type { Config } from '#config/load.ts';
import type { Secret } from '#domain/secret.ts';
import { HttpSender } from '#outbound/http-sender.ts';
import type { Scrubber } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { readSecretFile } from '#secrets/secret-file.ts';

export interface SlackAccess {
  /** Returns the secret in a file, hidden from logs and answers. @throws AppError SECRET_FILE_UNREADABLE */
  secret(path: string): Promise<Secret>;
  /** Sends an answer to the `response_url` of a signed request. @throws AppError WEBHOOK_… */
  reply(url: string, message: { readonly id: string; readonly body: object }): Promise<void>;
}

/** @param nowMs the time that all replicas share */
export function slackAccess({
  config,
  metrics,
  scrubber,
  nowMs,
}: {
  readonly config: Config;
  readonly metrics: Metrics;
  readonly scrubber: Scrubber;
  readonly nowMs: () => number;
}): SlackAccess {
  const { http } = config.settings;
  const sender = new HttpSender({
    addresses: { allowPrivate: http.allow_private_webhooks, allowLinkLocal: http.allow_link_local_webhooks },
    proxyResolvesNames: http.proxy_resolves_names,
    nowMs,
    metrics,
  });
  return {
    secret: async (path) => {
      const secret = await readSecretFile(path);
      scrubber.hide(secret, 'secret');
      return secret;
    },
    reply: async (url, { id, body }) => {
      const message = { method: 'POST', url, body: JSON.stringify(body), contentType: 'application/json' } as const;
      await sender.send({ ...message, deliveryId: id }, AbortSignal.timeout(10_000));
    },
  };
}
