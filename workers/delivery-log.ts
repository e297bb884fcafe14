// The log of sent messages (webhooks, mail, SNS): what was sent where, with which result. Bounded; it names only hosts, since addresses
// contain tokens.

import { messageOf } from '#domain/errors.ts';
import type { DeliveryEntry } from '#domain/log-entries.ts';
import type { Secret } from '#domain/secret.ts';
import { logs } from '#domain/state-registry.ts';
import type { OutgoingMessage } from '#outbound/http-sender.ts';
import type { HandlerContext } from './ports.ts';

const keptDeliveries = 5_000;

/** Sends one message over HTTP and logs the result. @throws what the sender throws */
export async function sendLogged(
  context: HandlerContext,
  url: Secret,
  message: Omit<OutgoingMessage, 'url'>,
): Promise<number> {
  using _hidden = context.hide(url);
  const host = URL.parse(url.reveal())?.host ?? 'invalid address';
  return await logged(context, host, async () => {
    const { status } = await context.http.send({ ...message, url: url.reveal() }, context.signal);
    return status;
  });
}

/**
 * Logs the result of a sending. @param host its destination, without anything secret @param send resolves with the status, if there is one
 */
export async function logged<T extends number | void>(
  context: HandlerContext,
  host: string,
  send: () => Promise<T>,
): Promise<T> {
  const entry = { jobId: context.jobId, action: context.name, host, attempt: context.attempt };
  const log = async (result: Pick<DeliveryEntry, 'status' | 'error'>) => {
    // One entry a minute would leave no room for anything else.
    if (context.name === 'heartbeat') return;
    await context.state
      .transact((tx) => tx.append(logs.deliveries, { ...entry, atMs: tx.nowMs, ...result }, keptDeliveries))
      .catch((error: unknown) => context.logger.warn({ err: error }, 'a delivery could not be logged'));
  };
  try {
    const status = await send();
    await log(typeof status === 'number' ? { status } : {});
    return status;
  } catch (error) {
    await log({ error: messageOf(error) });
    throw error;
  }
}
