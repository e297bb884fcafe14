// One log line when an alert begins, and one when it ends. Bounded, so that a flood of alerts does not flood the log.
import type { SeenAlert } from '#domain/alert.ts';
import type { Clock } from '#runtime/clock.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Alert } from './alert.ts';

/** What a line says about an alert. */
export type LoggedAlert = Pick<
  SeenAlert,
  'kind' | 'severity' | 'title' | 'cause' | 'sinceMs' | 'rule' | 'channelArn'
> & {
  readonly id: string;
};

/** At most this many lines in a minute. */
const mostLines = 60;
const windowMs = 60_000;

export class AlertLines {
  readonly #logger: Logger;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #windowFrom = Number.NEGATIVE_INFINITY;
  #written = 0;
  #leftOut = 0;
  /** Of `follow`: the alerts that were open last, by id; undefined before the first call. */
  #open: ReadonlyMap<string, Alert> | undefined;

  constructor({ logger, clock }: { readonly logger: Logger; readonly clock: Pick<Clock, 'monotonic'> }) {
    this.#logger = logger;
    this.#clock = clock;
  }

  began(alert: LoggedAlert): void {
    if (this.#hasRoom()) this.#logger.warn(fieldsOf(alert), 'an alert began');
  }

  ended(alert: LoggedAlert, atMs: number): void {
    if (!this.#hasRoom()) return;
    this.#logger.info({ ...fieldsOf(alert), lastedMs: Math.max(0, atMs - alert.sinceMs) }, 'an alert ended');
  }

  /** Logs what began and ended among these alerts since the last call. Those of the first call began before this process did. */
  follow(open: readonly Alert[], nowMs: number): void {
    const now = new Map(open.map((alert) => [alert.id, alert]));
    const known = this.#open ?? now;
    this.#open = now;
    for (const [id, alert] of now) if (!known.has(id)) this.began({ ...alert, sinceMs: alert.since });
    for (const [id, alert] of known) if (!now.has(id)) this.ended({ ...alert, sinceMs: alert.since }, nowMs);
  }

  /** A person has said that they take care of an alert; this ends some of them. */
  acknowledged(alert: Alert, { who, note }: { readonly who: string; readonly note: string }): void {
    const fields = { ...fieldsOf(alert), who, reason: note };
    this.#logger.info(fields, alert.dismissible ? 'an alert was dismissed' : 'an alert was acknowledged');
  }

  /** Says how many lines were left out, once their minute is over. */
  settle(): void {
    if (this.#clock.monotonic() - this.#windowFrom < windowMs) return;
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    this.#written = 0;
    if (leftOut > 0)
      this.#logger.warn(
        { leftOut, mostLines },
        'more alerts began or ended than the log takes in a minute: see GET /v1/alerts',
      );
  }

  #hasRoom(): boolean {
    this.settle();
    if (this.#written === 0) this.#windowFrom = this.#clock.monotonic();
    if (this.#written < mostLines) {
      this.#written += 1;
      return true;
    }
    this.#leftOut += 1;
    return false;
  }
}

function fieldsOf({
  kind,
  id,
  severity,
  title,
  cause,
  rule,
  channelArn,
}: Omit<LoggedAlert, 'sinceMs'>): Record<string, string> {
  return {
    kind,
    id,
    severity,
    title,
    cause,
    ...(rule === undefined ? {} : { rule }),
    ...(channelArn === undefined ? {} : { channelArn }),
  };
}
