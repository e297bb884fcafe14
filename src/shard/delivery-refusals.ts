// Metadata that IVS refuses permanently: reported once per episode, by log and alert, whichever replica sends. An episode is the refusals
// with one code, until every refused channel has accepted metadata again or a person has dismissed the alert.
import { AppError, messageOf } from '#domain/errors.ts';
import type { SharedState, Transaction } from '#domain/shared-state.ts';
import type { DeliveryWatch } from '#metadata/ports.ts';
import { codeOf } from '#runtime/episode.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { noteDelivered, noteRefused, refusalKey } from '#workers/alerts.ts';

export interface DeliveryRefusalsOptions {
  readonly state: SharedState;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly shard: string;
}

/** The codes of a permanent refusal. */
const codes = [
  'IVS_ACCESS_DENIED',
  'IVS_NOT_FOUND',
  'IVS_REQUEST_INVALID',
  'IVS_PENDING_VERIFICATION',
  'IVS_CONFLICT',
  'IVS_QUOTA_EXCEEDED',
] as const;
/** How often a channel that is refused again and again is recorded. */
const againAfterMs = 30_000;

export class DeliveryRefusals implements DeliveryWatch {
  readonly #options: DeliveryRefusalsOptions;
  /** Records under way, so that many calls at once are one commit each per channel. */
  readonly #writing = new Set<string>();

  constructor(options: DeliveryRefusalsOptions) {
    this.#options = options;
  }

  refused(channelArn: string, error: unknown): void {
    const { state, logger, metrics, shard } = this.#options;
    const code = codeOf(error);
    metrics.metadataRefused.inc({ shard, code });
    const before = state.view.get(refusalKey(code));
    if (before?.channelArns.includes(channelArn) && state.nowMs() - before.updatedAtMs < againAfterMs) return;
    const message = error instanceof AppError ? error.message : messageOf(error);
    this.#write(`${code} ${channelArn}`, (tx) => {
      if (noteRefused(tx, { code, channelArn, message }))
        return () =>
          logger.error(
            { code, channelArn, err: error },
            'metadata is refused, and a retry cannot help: its items have failed',
          );
      return undefined;
    });
  }

  delivered(channelArn: string): void {
    const { state, logger } = this.#options;
    const met = codes.filter((code) => state.view.get(refusalKey(code))?.channelArns.includes(channelArn));
    if (met.length === 0) return;
    this.#write(`delivered ${channelArn}`, (tx) => {
      const over = noteDelivered(tx, met, channelArn);
      return over.length === 0 ? undefined : () => logger.info({ codes: over }, 'metadata is accepted again');
    });
  }

  /** Reports after the commit, and only in the replica that made it. */
  #write(what: string, body: (tx: Transaction) => (() => void) | undefined): void {
    const { state, logger } = this.#options;
    if (this.#writing.has(what)) return;
    this.#writing.add(what);
    state
      .transact(body, { withinMs: 50 })
      .then((tell) => tell?.())
      .catch((error: unknown) => logger.warn({ err: error }, 'a refusal of metadata could not be written down'))
      .finally(() => this.#writing.delete(what));
  }
}
