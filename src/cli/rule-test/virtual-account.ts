// What a rule test's AWS account has beside channels and streams: stream keys, recording configurations, playback key pairs.
import type { PlaybackKeyPair, RecordingConfiguration } from '#workers/ports.ts';
import { testAccount, testRegion } from './world.ts';

/** A recording configuration that a test says there is. */
export interface GivenRecording {
  readonly name: string;
  readonly state: string;
}

export class VirtualAccount {
  readonly keyPairs: PlaybackKeyPair[] = [];
  /** Tags that calls have set, where the inventory does not follow them. */
  readonly tags = new Map<string, Readonly<Record<string, string>>>();
  /** Streams as one job sees them: what it has stopped is over for it. `<job>|<stream>`. */
  readonly stoppedFor = new Set<string>();
  /** When the ad break of a channel is over, epoch ms. */
  readonly adBreaks = new Map<string, number>();
  readonly #recordings: RecordingConfiguration[];
  readonly #isGiven: boolean;
  readonly #keys = new Map<string, string[]>();
  #made = 0;

  /** Without a list, there is every recording configuration that a job names, and it is ACTIVE. */
  constructor(recordings: readonly GivenRecording[] | undefined) {
    this.#isGiven = recordings !== undefined;
    this.#recordings = (recordings ?? []).map(({ name, state }) => recordingOf(name, state));
  }

  get recordings(): readonly RecordingConfiguration[] {
    return this.#recordings;
  }

  /** A job names a recording configuration. */
  assume(configuration: string): void {
    if (this.#isGiven || configuration === 'none') return;
    const isKnown = this.#recordings.some(({ name, arn }) => name === configuration || arn === configuration);
    if (!isKnown) this.#recordings.push(recordingOf(configuration, 'ACTIVE'));
  }

  forgetRecording(arn: string): void {
    const at = this.#recordings.findIndex((each) => each.arn === arn);
    if (at >= 0) this.#recordings.splice(at, 1);
  }

  /** ARNs of the keys of a channel: one at the beginning. */
  keysOf(channelArn: string): readonly string[] {
    const known = this.#keys.get(channelArn);
    if (known) return known;
    const first = [this.newArn('stream-key')];
    this.#keys.set(channelArn, first);
    return first;
  }

  addKey(channelArn: string): string {
    const arn = this.newArn('stream-key');
    this.#keys.set(channelArn, [...this.keysOf(channelArn), arn]);
    return arn;
  }

  /** Returns the channel that had the key. */
  deleteKey(keyArn: string): string | undefined {
    const channelArn = this.channelOfKey(keyArn);
    if (channelArn !== undefined)
      this.#keys.set(
        channelArn,
        this.keysOf(channelArn).filter((arn) => arn !== keyArn),
      );
    return channelArn;
  }

  channelOfKey(keyArn: string): string | undefined {
    return [...this.#keys].find(([, arns]) => arns.includes(keyArn))?.[0];
  }

  newArn(kind: string): string {
    this.#made += 1;
    return arnOf(kind, `t${this.#made}`);
  }
}

function arnOf(kind: string, id: string): string {
  return `arn:aws:ivs:${testRegion}:${testAccount}:${kind}/${id}`;
}

function recordingOf(name: string, state: string): RecordingConfiguration {
  const arn = name.startsWith('arn:') ? name : arnOf('recording-configuration', name.replaceAll(/[^A-Za-z0-9-]/g, '-'));
  return { arn, name, state, bucketName: name };
}
