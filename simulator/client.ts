// The typed client of the control API, for tests, the demo and scripts. It only uses HTTP, so it can drive a simulator in this process, in
// another one, or on another machine.

import type { ChannelSpec, ChannelState, MadeChannel } from './control/channels.ts';
import type { OperationSummary } from './control/summary.ts';
import type { LimitName } from './events/event.ts';
import type { DeliveryPolicy, EventRecord, NextFate } from './events/publisher.ts';
import type { LostDelivery } from './events/sqs-delivery.ts';
import type { FaultRule, FaultState } from './faults.ts';
import type { Change } from './overlay.ts';
import type { ScenarioState } from './parts.ts';
import type { CallFilter, CallRecord, CueRecord, RevocationRecord } from './recorder.ts';
import type { ResourceQuotas, Switches, Timings } from './settings.ts';
import type { Bucket, PlaybackConfiguration } from './store.ts';
import type { EncoderSetup } from './streams/encoders.ts';
import type { Connected } from './streams/ingest.ts';
import type { AdBreak } from './streams/session.ts';
import type { ViewerCurve } from './streams/viewers.ts';
import type { Enforcement } from './throttle/throttle.ts';

export type { ChannelSpec, ChannelState, MadeChannel } from './control/channels.ts';
export type { OperationSummary } from './control/summary.ts';
export type { EventEnvelope } from './events/event.ts';
export type { EventRecord, NextFate } from './events/publisher.ts';
export type { FaultRule } from './faults.ts';
export type { CallFilter, CallRecord, CueRecord, RevocationRecord } from './recorder.ts';
export type { AdBreak } from './streams/session.ts';

/** One channel or several, by ARN or name. */
export type Which = string | readonly string[];

/** What a simulator reports about itself. `now` is simulated epoch milliseconds. */
export interface Health {
  readonly seed: string;
  readonly now: number;
  readonly channels: number;
  readonly live: number;
  readonly calls: number;
  readonly enforcement: Enforcement;
}

const several = (which: Which): readonly string[] => (typeof which === 'string' ? [which] : which);

/** Every method is one request; a refusal becomes an Error with the simulator's sentence. */
export class SimulatorClient {
  readonly #base: string;

  /** `url` is the simulator's own, without a path. */
  constructor(url: string) {
    this.#base = `${url.replace(/\/$/, '')}/_simulator`;
  }

  health(): Promise<Health> {
    return this.#ask('GET', '/health');
  }

  /** Makes channels with one key each, ignoring all quotas: a number of identical ones, or one per specification. */
  async createChannels(
    wanted: number | readonly ChannelSpec[],
    like: ChannelSpec & { readonly namePrefix?: string } = {},
  ): Promise<MadeChannel[]> {
    const body = typeof wanted === 'number' ? { count: wanted, ...like } : { channels: wanted };
    return (await this.#ask<{ channels: MadeChannel[] }>('POST', '/channels', body)).channels;
  }

  /** One channel with its key. */
  async createChannel(spec: ChannelSpec = {}): Promise<MadeChannel> {
    return (await this.createChannels([spec]))[0]!;
  }

  /** The state of the named channels, or of all. */
  async channels(which: Which = []): Promise<ChannelState[]> {
    const query = several(which).map((channel) => `channel=${encodeURIComponent(channel)}`);
    return (await this.#ask<{ channels: ChannelState[] }>('GET', `/channels?${query.join('&')}`)).channels;
  }

  /** Connects the channels' encoders and returns the result for each. */
  async connect(which: Which, setup: EncoderSetup = {}): Promise<Connected[]> {
    const body = { ...setup, channels: several(which) };
    return (await this.#ask<{ connections: Connected[] }>('POST', '/streams/connect', body)).connections;
  }

  /** Like `connect`, but a refusal is an error. Returns the stream ids. */
  async goLive(which: Which, setup: EncoderSetup = {}): Promise<string[]> {
    return (await this.connect(which, setup)).map((answer) => {
      if (!answer.accepted) throw new Error(`an encoder of ${several(which).join(', ')} was refused: ${answer.reason}`);
      return answer.streamId;
    });
  }

  /** The encoders' operators end their broadcasts; the encoders do not come back. Returns how many were on air. */
  async end(which: Which): Promise<number> {
    return (await this.#ask<{ ended: number }>('POST', '/streams/end', { channels: several(which) })).ended;
  }

  /** Less data arrives than announced. */
  async starve(which: Which): Promise<void> {
    await this.#ask('POST', '/streams/starve', { channels: several(which) });
  }

  /** Data flows again. */
  async recover(which: Which): Promise<void> {
    await this.#ask('POST', '/streams/recover', { channels: several(which) });
  }

  /** No data at all: starving at once, and the service ends the stream after 30 s unless it recovers. */
  async lose(which: Which): Promise<void> {
    await this.#ask('POST', '/streams/lose', { channels: several(which) });
  }

  /** Sets the audience; −1 is the count that timed out. */
  async setViewers(which: Which, viewers: ViewerCurve): Promise<void> {
    await this.#ask('POST', '/streams/viewers', { channels: several(which), viewers });
  }

  /** A limit is exceeded; `channel` is needed for the two ingest limits. */
  async breach(breach: {
    limit: LimitName;
    limitValue: number;
    value: number;
    unit?: string;
    channel?: string;
  }): Promise<void> {
    await this.#ask('POST', '/streams/breach', breach);
  }

  /** Another client of the account inserts an ad break into each stream. */
  async insertAdBreak(which: Which, durationSeconds: number): Promise<AdBreak[]> {
    const body = { channels: several(which), durationSeconds };
    return (await this.#ask<{ adBreaks: AdBreak[] }>('POST', '/streams/ad-break', body)).adBreaks;
  }

  /** The next recording of each channel ends with errors. */
  async failRecording(which: Which): Promise<void> {
    await this.#ask('POST', '/streams/fail-recording', { channels: several(which) });
  }

  /** Recorded calls, oldest first. */
  async calls(filter: CallFilter = {}): Promise<CallRecord[]> {
    return (await this.#ask<{ calls: CallRecord[] }>('GET', `/calls?${query({ ...filter })}`)).calls;
  }

  /** The first call that matches, recorded already or still to come; an error if none came in time. */
  async waitForCall(filter: CallFilter, timeoutMs = 60_000): Promise<CallRecord> {
    const path = `/calls/wait?${query({ ...filter, timeoutMs })}`;
    const { call } = await this.#ask<{ call: CallRecord | null }>('GET', path);
    if (call === null) throw new Error(`no call ${JSON.stringify(filter)} within ${timeoutMs} ms`);
    return call;
  }

  /** Per operation: how many calls ended in which way, and the most accepted in any trailing second. */
  async summary(filter: CallFilter = {}): Promise<OperationSummary[]> {
    const path = `/calls/summary?${query({ ...filter })}`;
    return (await this.#ask<{ operations: OperationSummary[] }>('GET', path)).operations;
  }

  async clearCalls(): Promise<void> {
    await this.#ask('DELETE', '/calls');
  }

  /** Accepted metadata, oldest first. */
  async cues(filter: { channelArn?: string; afterSeq?: number } = {}): Promise<CueRecord[]> {
    return (await this.#ask<{ cues: CueRecord[] }>('GET', `/cues?${query(filter)}`)).cues;
  }

  /** Accepted revocations of viewers' sessions, oldest first. */
  async revocations(filter: { channelArn?: string; afterSeq?: number } = {}): Promise<RevocationRecord[]> {
    return (await this.#ask<{ revocations: RevocationRecord[] }>('GET', `/revocations?${query(filter)}`)).revocations;
  }

  /** Events that happened, oldest first, with the fate of each on its way out. */
  async events(filter: { name?: string; channelArn?: string; afterSeq?: number } = {}): Promise<EventRecord[]> {
    return (await this.#ask<{ events: EventRecord[] }>('GET', `/events?${query(filter)}`)).events;
  }

  /** How reliable event delivery is from now on; omitted members stay as they are. */
  async setEventPolicy(policy: Change<DeliveryPolicy>): Promise<void> {
    await this.#ask('PUT', '/events/policy', policy);
  }

  /** Decides the fate of the next events that match. */
  async planEvent(next: NextFate): Promise<void> {
    await this.#ask('POST', '/events/plan', next);
  }

  /** Releases events that were held back to be overtaken. */
  async releaseEvents(): Promise<void> {
    await this.#ask('POST', '/events/release');
  }

  /** Resolves when every event that is due has reached its queue, or was given up. */
  async settleEvents(): Promise<LostDelivery[]> {
    return (await this.#ask<{ lostDeliveries: LostDelivery[] }>('POST', '/events/settle')).lostDeliveries;
  }

  /** Adds a fault rule and returns its id. */
  async addFault(rule: FaultRule): Promise<number> {
    return (await this.#ask<{ id: number }>('POST', '/faults', rule)).id;
  }

  async faults(): Promise<FaultState[]> {
    return (await this.#ask<{ faults: FaultState[] }>('GET', '/faults')).faults;
  }

  /** Removes one fault, or all. */
  async clearFaults(id?: number): Promise<void> {
    await this.#ask('DELETE', `/faults?${query({ id })}`);
  }

  /** Simulated epoch milliseconds. */
  async now(): Promise<number> {
    return (await this.#ask<{ now: number }>('GET', '/clock')).now;
  }

  /** Moves the simulated clock forward, running what becomes due; returns the new time. */
  async advance(ms: number): Promise<number> {
    return (await this.#ask<{ now: number }>('POST', '/clock/advance', { ms })).now;
  }

  /** Simulated milliseconds per real one; 0 stops the clock. */
  async setClockRate(rate: number): Promise<void> {
    await this.#ask('PUT', '/clock', { rate });
  }

  /** Changes quotas, timings and switches while it runs. */
  async configure(change: {
    enforcement?: Enforcement;
    quotas?: Change<ResourceQuotas>;
    timings?: Change<Timings>;
    switches?: Change<Switches>;
  }): Promise<void> {
    await this.#ask('PATCH', '/settings', change);
  }

  /** Describes buckets in another Region or encrypted with KMS; all others exist and are fine. */
  async setBuckets(buckets: Readonly<Record<string, Bucket>>): Promise<void> {
    await this.#ask('PUT', '/buckets', { buckets });
  }

  /** Describes MediaTailor playback configurations that are missing or play something else; all others are fine. */
  async setPlaybackConfigurations(
    playbackConfigurations: Readonly<Record<string, PlaybackConfiguration>>,
  ): Promise<void> {
    await this.#ask('PUT', '/playback-configurations', { playbackConfigurations });
  }

  /** Loads a scenario from its YAML text and starts it; the previous one is stopped. */
  async loadScenario(yaml: string, options: { readonly channels?: number } = {}): Promise<ScenarioState> {
    return this.#ask<ScenarioState>('POST', '/scenario', { yaml, ...options });
  }

  /** The scenario's progress; null if none was loaded. */
  async scenario(): Promise<ScenarioState | null> {
    return (await this.#ask<{ scenario: ScenarioState | null }>('GET', '/scenario')).scenario;
  }

  async stopScenario(): Promise<void> {
    await this.#ask('DELETE', '/scenario');
  }

  async #ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(this.#base + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`simulator ${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  }
}

function query(members: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(members).filter(([, value]) => value !== undefined);
  return new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
}
