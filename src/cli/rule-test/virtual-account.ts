// What a rule test's AWS account has besides channels and streams: stream keys, recording and ad configurations, playback restriction
// policies, playback key pairs.
import type {
  AdConfiguration,
  PlaybackKeyPair,
  PlaybackRestrictionPolicy,
  RecordingConfiguration,
} from '#workers/ports.ts';
import { testAccount, testRegion } from './world.ts';

/** A recording configuration that a test declares. */
export interface GivenRecording {
  readonly name: string;
  readonly state: string;
}

export class VirtualAccount {
  readonly keyPairs: PlaybackKeyPair[] = [];
  readonly adConfigurations: AdConfiguration[] = [];
  readonly policies: PlaybackRestrictionPolicy[] = [];
  /** Tags that calls have set, if the inventory does not change with calls. */
  readonly tags = new Map<string, Readonly<Record<string, string>>>();
  /** Streams that a job has stopped, which are over for this job only. `<job>|<stream>`. */
  readonly stoppedFor = new Set<string>();
  /** When the ad break of a channel ends, epoch ms. */
  readonly adBreaks = new Map<string, number>();
  readonly #recordings: RecordingConfiguration[];
  readonly #isGiven: boolean;
  readonly #keys = new Map<string, string[]>();
  #made = 0;

  /** Without a list, every recording configuration that a job names exists and is ACTIVE. */
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

  /** A job names an ad configuration, so it exists. */
  assumeAds(wanted: string): void {
    if (wanted === 'none' || this.adConfigurations.some(({ name, arn }) => name === wanted || arn === wanted)) return;
    this.adConfigurations.push({ arn: arnOf('ad-configuration', idOf(wanted)), name: nameIn(wanted) });
  }

  /** A job names a playback restriction policy, so it exists, and restricts nothing yet. */
  assumePolicy(wanted: string): void {
    if (wanted === 'none' || this.policies.some(({ name, arn }) => name === wanted || arn === wanted)) return;
    const arn = arnOf('playback-restriction-policy', idOf(wanted));
    this.policies.push({ arn, name: nameIn(wanted), allowedCountries: [], allowedOrigins: [] });
  }

  changePolicy(policy: PlaybackRestrictionPolicy): void {
    const at = this.policies.findIndex(({ arn }) => arn === policy.arn);
    if (at >= 0) this.policies[at] = policy;
  }

  /** The name of an ad configuration or a policy, for people; `none` for an empty ARN. */
  nameOf(arn: string): string {
    const known = [...this.adConfigurations, ...this.policies].find((each) => each.arn === arn);
    return known?.name || arn || 'none';
  }

  addRecording(name: string, bucketName: string): RecordingConfiguration {
    const made = { ...recordingOf(name, 'ACTIVE'), bucketName };
    this.#recordings.push(made);
    return made;
  }

  forgetRecording(arn: string): void {
    const at = this.#recordings.findIndex((each) => each.arn === arn);
    if (at >= 0) this.#recordings.splice(at, 1);
  }

  /** ARNs of the keys of a channel, which begins with one. */
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

/** The last part of an ARN, or a name in the same form. */
function idOf(wanted: string): string {
  return wanted.slice(wanted.lastIndexOf('/') + 1).replaceAll(/[^A-Za-z0-9-]/g, '-');
}

function nameIn(wanted: string): string {
  return wanted.startsWith('arn:') ? '' : wanted;
}
