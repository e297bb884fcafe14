// A message to every webhook of a receiver. One that has taken it does not get it again when another one fails.
import { AppError } from '#domain/errors.ts';
import type { Receiver, WebhookReceiver } from '#domain/rule.ts';
import { Secret } from '#domain/secret.ts';
import { kinds } from '#domain/state-registry.ts';
import { visibleLine } from '#domain/visible-text.ts';
import { sendLogged } from './delivery-log.ts';
import type { HandlerContext } from './ports.ts';

/** The receiver of this name. @throws AppError RECEIVER_UNKNOWN */
export function receiverNamed(context: HandlerContext, name: string): Receiver {
  const receiver = context.receiver(name);
  if (!receiver) throw new AppError('RECEIVER_UNKNOWN', `the configuration has no receiver "${name}"`);
  return receiver;
}

/**
 * Sends what `contentOf` makes for each webhook; resolves with the number of webhooks once all have taken it.
 * @throws the failure that is worth another try, or the first one
 */
export async function sendToReceiver(
  context: HandlerContext,
  receiver: Receiver,
  contentOf: (webhook: WebhookReceiver) => object,
): Promise<number> {
  const key = kinds.notified.of(context.jobId);
  const taken = new Set(context.state.view.get(key)?.taken ?? []);
  const failures: unknown[] = [];
  for (const [index, webhook] of receiver.webhooks.entries()) {
    if (taken.has(index)) continue;
    try {
      await context.progress('send', { receiver: receiver.name, webhook: index });
      await send(context, webhook, index, contentOf(webhook));
      taken.add(index);
      await context.state.transact((tx) => tx.set(key, { taken: [...taken] }));
    } catch (error) {
      failures.push(error);
      if (context.signal.aborted) break;
    }
  }
  const worth = failures.find((error) => !(error instanceof AppError) || error.disposition.kind !== 'give-up');
  const over = failures.length === 0 || worth === undefined || context.lastAttempt;
  if (over) await context.state.transact((tx) => tx.delete(key));
  if (failures.length > 0) throw worth ?? failures[0];
  return taken.size;
}

async function send(
  context: HandlerContext,
  { url: address, urlFile, hmacKeyFile }: WebhookReceiver,
  index: number,
  content: object,
): Promise<void> {
  const url = urlFile === undefined ? new Secret(address ?? '') : await context.readSecretFile(urlFile);
  const hmacKey = hmacKeyFile === undefined ? undefined : await context.readSecretFile(hmacKeyFile);
  await sendLogged(context, url, {
    method: 'POST',
    body: visibleLine(JSON.stringify(content)),
    contentType: 'application/json',
    deliveryId: `${context.jobId}-${index}`,
    ...(hmacKey ? { hmacKey } : {}),
  });
}
