// The log of messages to webhooks: what was sent where, with which result. Bounded; names hosts only, since addresses hold tokens.
import { messageOf } from '#domain/errors.ts';
import type { Secret } from '#domain/secret.ts';
import type { HandlerContext, HttpMessage } from './ports.ts';

/** An entry of the log `deliveries`. */
export interface DeliveryEntry {
  readonly jobId: string;
  readonly action: string;
  /** Host of the address. */
  readonly host: string;
  readonly attempt: number;
  readonly atMs: number;
  readonly status?: number | undefined;
  readonly error?: string | undefined;
}

const keptDeliveries = 5_000;

/** Sends one message and writes down how it went. @throws what the sender throws */
export async function sendLogged(
  context: HandlerContext,
  url: Secret,
  message: Omit<HttpMessage, 'url'>,
): Promise<number> {
  const entry = {
    jobId: context.jobId,
    action: context.name,
    host: URL.parse(url.reveal())?.host ?? 'invalid address',
    attempt: context.attempt,
  };
  const log = (result: Pick<DeliveryEntry, 'status' | 'error'>) =>
    context.state
      .transact((tx) =>
        tx.append('deliveries', { ...entry, atMs: tx.nowMs, ...result } satisfies DeliveryEntry, keptDeliveries),
      )
      .catch((error: unknown) => context.logger.warn({ err: error }, 'a delivery could not be logged'));
  using _hidden = context.hide(url);
  try {
    const { status } = await context.http.send({ ...message, url: url.reveal() }, context.signal);
    await log({ status });
    return status;
  } catch (error) {
    await log({ error: messageOf(error) });
    throw error;
  }
}
