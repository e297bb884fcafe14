// Virtual encoders, one per channel: each has a configured key, connects with it and, if told to, reconnects by itself after it was
// disconnected, as OBS and hardware encoders do, until its key is refused too often.

import type { Clock, Timer } from '../clock.ts';
import type { Settings } from '../settings.ts';
import type { Store } from '../store.ts';
import type { Connected, ConnectRequest, Cut, Ingest } from './ingest.ts';

/** How an encoder is set up. Without `streamKey` it gets the channel's present key. */
export interface EncoderSetup extends Omit<ConnectRequest, 'streamKey'> {
  readonly streamKey?: string | undefined;
  readonly autoReconnect?: boolean | undefined;
  readonly reconnectMs?: number | undefined;
  /** It gives up after this many consecutive refusals. Default 10. */
  readonly reconnectAttempts?: number | undefined;
}

interface Encoder {
  readonly setup: EncoderSetup & { readonly streamKey: string };
  /** False while it waits to reconnect, or has given up. */
  connected: boolean;
  refusals: number;
  retry?: Timer;
}

interface Parts {
  readonly clock: Clock;
  readonly store: Store;
  readonly settings: Settings;
  readonly ingest: Ingest;
}

/** What the encoder of a channel is doing. */
export interface EncoderState {
  readonly connected: boolean;
  readonly autoReconnect: boolean;
  readonly refusals: number;
}

export class Encoders {
  readonly #encoders = new Map<string, Encoder>();
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.ingest.onCut = (channelArn, why) => this.#cut(channelArn, why);
  }

  /** Sets the channel's encoder up and connects it. A takeover replaces the encoder that was there. */
  connect(channelArn: string, setup: EncoderSetup): Connected {
    const streamKey = setup.streamKey ?? this.#parts.store.keysOf(channelArn)[0]?.value;
    if (streamKey === undefined) return { accepted: false, channelArn, reason: 'UnknownStreamKey' };
    const before = this.#encoders.get(channelArn);
    const encoder: Encoder = { setup: { ...setup, streamKey }, connected: false, refusals: 0 };
    const answer = this.#parts.ingest.connect(encoder.setup);
    if (answer.accepted && answer.channelArn === channelArn) {
      before?.retry?.cancel();
      encoder.connected = true;
      this.#encoders.set(channelArn, encoder);
    } else if (before?.connected !== true && setup.autoReconnect === true) {
      before?.retry?.cancel();
      this.#encoders.set(channelArn, encoder);
      this.#refused(channelArn, encoder);
    }
    return answer;
  }

  /** The operator of the encoder ends the broadcast: no reconnect. */
  end(channelArn: string): boolean {
    this.#encoders.get(channelArn)?.retry?.cancel();
    this.#encoders.delete(channelArn);
    const session = this.#parts.ingest.sessions.current(channelArn);
    if (session === undefined) return false;
    this.#parts.ingest.end(session);
    return true;
  }

  state(channelArn: string): EncoderState | undefined {
    const encoder = this.#encoders.get(channelArn);
    if (encoder === undefined) return undefined;
    const { connected, refusals, setup } = encoder;
    return { connected, refusals, autoReconnect: setup.autoReconnect === true };
  }

  #cut(channelArn: string, why: Cut): void {
    const encoder = this.#encoders.get(channelArn);
    if (encoder === undefined) return;
    encoder.connected = false;
    if (why === 'deleted' || why === 'taken-over' || encoder.setup.autoReconnect !== true)
      this.#encoders.delete(channelArn);
    else this.#scheduleRetry(channelArn, encoder);
  }

  #scheduleRetry(channelArn: string, encoder: Encoder): void {
    const delayMs = encoder.setup.reconnectMs ?? this.#parts.settings.timings.encoderReconnectMs;
    encoder.retry = this.#parts.clock.schedule(delayMs, () => {
      const answer = this.#parts.ingest.connect(encoder.setup);
      if (answer.accepted) {
        encoder.connected = true;
        encoder.refusals = 0;
      } else this.#refused(channelArn, encoder);
    });
  }

  #refused(channelArn: string, encoder: Encoder): void {
    encoder.refusals++;
    if (encoder.refusals < (encoder.setup.reconnectAttempts ?? 10)) this.#scheduleRetry(channelArn, encoder);
  }
}
