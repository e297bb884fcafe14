// A place where a new key is delivered. One file for each kind of place; sinks.ts chooses. The value is revealed only on the line that
// hands it over.
import type { Secret } from '#domain/secret.ts';

/** A new key to be delivered. */
export interface SecretDelivery {
  readonly kind: 'stream_key' | 'playback_private_key';
  readonly value: Secret;
  /** ARN of the key or key pair; new for each new value. */
  readonly keyArn: string;
  readonly channelArn?: string | undefined;
}

export interface SecretSink {
  /** A description of the place without anything secret. */
  readonly description: string;
  /**
   * Checks whether a delivery can be expected to work; changes nothing.
   * @throws AppError SECRET_SINK_…, SECRET_FILE_UNREADABLE, WEBHOOK_REFUSED
   */
  check(signal: AbortSignal): Promise<void>;
  /** Once it resolves, the value is there and is the newest one. May be repeated. @throws AppError */
  deliver(delivery: SecretDelivery, signal: AbortSignal): Promise<void>;
}
