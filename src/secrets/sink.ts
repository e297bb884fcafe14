// A place where a new key is delivered. One file for each kind of place; sinks.ts chooses. A value is revealed on the line that
// hands it over, and nowhere else.
import type { Secret } from '#domain/secret.ts';

/** A new key on its way to whoever needs it. */
export interface SecretDelivery {
  readonly kind: 'stream_key' | 'playback_private_key';
  readonly value: Secret;
  /** ARN of the key or key pair; new for each new value. */
  readonly keyArn: string;
  readonly channelArn?: string | undefined;
}

export interface SecretSink {
  /** Where it is, without anything secret. */
  readonly description: string;
  /** Whether a delivery can be expected to work; makes no change. @throws AppError SECRET_SINK_…, SECRET_FILE_UNREADABLE, WEBHOOK_REFUSED */
  check(signal: AbortSignal): Promise<void>;
  /** When it resolves, the value is there and is the newest one. May be repeated. @throws AppError */
  deliver(delivery: SecretDelivery, signal: AbortSignal): Promise<void>;
}
