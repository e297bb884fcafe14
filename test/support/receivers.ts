// Receivers as built from the configuration.
import { compileReceiver } from '#config/compile-receivers.ts';
import { receiver } from '#config/receiver-schema.ts';
import type { Receiver } from '#domain/receiver.ts';

/** A receiver by its part of the file. */
export function receiverOf(document: Readonly<Record<string, unknown>>): Receiver {
  return compileReceiver(receiver.parse(document), [], (path, message) => {
    throw new Error(`${path.join('.')}: ${message}`);
  });
}
