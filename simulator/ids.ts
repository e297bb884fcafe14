// Names of things in the service's own formats. https://docs.aws.amazon.com/ivs/latest/LowLatencyAPIReference/API_Channel.html

import type { Random } from './random.ts';
import type { Settings } from './settings.ts';

export type ResourceKind =
  | 'channel'
  | 'stream-key'
  | 'recording-configuration'
  | 'playback-key'
  | 'playback-restriction-policy'
  | 'ad-configuration';

/** Makes ids, ARNs and key values for one account and Region from a seeded sequence. */
export class Ids {
  readonly #random: Random;
  readonly #settings: Pick<Settings, 'region' | 'accountId'>;

  constructor(random: Random, settings: Pick<Settings, 'region' | 'accountId'>) {
    this.#random = random;
    this.#settings = settings;
  }

  /** Twelve letters and digits. */
  resource(): string {
    return this.#random.alphanumeric(12);
  }

  arn(kind: ResourceKind, id: string): string {
    return `arn:aws:ivs:${this.#settings.region}:${this.#settings.accountId}:${kind}/${id}`;
  }

  /** `st-` and 23 letters and digits: 26 characters in total. */
  stream(): string {
    return `st-${this.#random.alphanumeric(23)}`;
  }

  /** The value an encoder authenticates with; it opens nothing outside this process. */
  streamKeyValue(keyId: string): string {
    return `sk_${this.#settings.region}_${keyId}_${this.#random.alphanumeric(30)}`;
  }

  /** First label of a channel's host names. */
  host(): string {
    return this.#random.hex(12);
  }

  passphrase(): string {
    return this.#random.alphanumeric(60);
  }

  /** The last part of a recording's S3 prefix. */
  recording(): string {
    return this.#random.alphanumeric(12);
  }

  /** Twelve letters and digits. */
  adBreak(): string {
    return this.#random.alphanumeric(12);
  }

  recordingSession(): string {
    return this.#random.alphanumeric(16);
  }

  uuid(): string {
    return this.#random.uuid();
  }
}
