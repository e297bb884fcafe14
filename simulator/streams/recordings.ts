// Auto-record to S3, without the S3: when a recording starts, which streams it merges, when it ends and what its events
// say. https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/record-to-s3.html

import type { Clock, Timer } from '../clock.ts';
import { type Happening, RECORDING_CHANGE } from '../events/event.ts';
import type { Ids } from '../ids.ts';
import type { Settings } from '../settings.ts';
import type { RecordingConfiguration, Store } from '../store.ts';
import type { Media, Session } from './session.ts';

const MOST_STREAMS = 20;
const LONGEST_MS = 48 * 3_600_000;

interface Recording {
  readonly sessionId: string;
  readonly prefix: string;
  readonly configuration: RecordingConfiguration;
  readonly streamIds: string[];
  readonly startedAt: number;
  media: Media;
  recordedMs: number;
  streamStartedAt: number;
  streamEndedAt?: number;
  end?: Timer;
}

interface Parts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly store: Store;
  readonly settings: Settings;
}

/** Reports to the rest of the service that something happened to a session's recording. */
export type OnRecording = (session: Session, happening: Happening, code?: string) => void;

/** Follows each channel's recording across its streams. */
export class Recordings {
  /** The recording that a channel's next stream could join. */
  readonly #open = new Map<string, Recording>();
  /** The recording of each running stream: an old one may still be ending when the next has begun. */
  readonly #ofStream = new Map<string, Recording>();
  readonly #failing = new Set<string>();
  readonly #parts: Parts;
  readonly #tell: OnRecording;

  constructor(parts: Parts, tell: OnRecording) {
    this.#parts = parts;
    this.#tell = tell;
  }

  /** The next recording of this channel ends with errors. */
  failNext(channelArn: string): void {
    this.#failing.add(channelArn);
  }

  /** A stream's segments begin: join the recording that waits for it, or begin one if the channel records. */
  streamStarted(session: Session): void {
    const configuration = session.recording;
    if (configuration === undefined) return;
    const { clock, ids, store, settings } = this.#parts;
    const now = clock.now();
    const waiting = this.#open.get(session.channelArn);
    if (waiting !== undefined && this.#merges(waiting, session, configuration, now)) {
      waiting.end?.cancel();
      waiting.streamIds.push(session.streamId);
      waiting.media = session.media;
      waiting.streamStartedAt = now;
      delete waiting.streamEndedAt;
      this.#ofStream.set(session.streamId, waiting);
      return;
    }
    this.#open.delete(session.channelArn);
    const bucket = store.buckets.get(configuration.bucketName);
    const elsewhere = (bucket?.region ?? settings.region) !== settings.region;
    const active = now >= configuration.settledAt && configuration.settledState === 'ACTIVE';
    if (!active || elsewhere || bucket?.kmsEncrypted === true) {
      const { bucketName } = configuration;
      const failed = { session, bucketName, prefix: '', durationMs: 0, sessionId: ids.recordingSession() };
      this.#event({ ...failed, status: 'Recording Start Failure', reason: 'ValidationException' });
      return;
    }
    const recording: Recording = {
      sessionId: ids.recordingSession(),
      prefix: this.#prefix(session, now),
      configuration,
      streamIds: [session.streamId],
      startedAt: now,
      media: session.media,
      recordedMs: 0,
      streamStartedAt: now,
    };
    this.#open.set(session.channelArn, recording);
    this.#ofStream.set(session.streamId, recording);
    this.#event({ ...summary(session, recording), status: 'Recording Start', reason: '', durationMs: 0 });
  }

  /** A stream's segments stop: the recording ends if no stream joined within its reconnect window. */
  streamEnded(session: Session): void {
    const recording = this.#ofStream.get(session.streamId);
    if (recording === undefined) return;
    this.#ofStream.delete(session.streamId);
    const now = this.#parts.clock.now();
    recording.recordedMs += now - recording.streamStartedAt;
    recording.streamEndedAt = now;
    const windowMs = recording.configuration.recordingReconnectWindowSeconds * 1000;
    const finish = (): void => {
      if (this.#open.get(session.channelArn) === recording) this.#open.delete(session.channelArn);
      const failed = this.#failing.delete(session.channelArn);
      this.#event({
        ...summary(session, recording),
        status: failed ? 'Recording End Failure' : 'Recording End',
        reason: failed ? 'InternalServerException' : '',
        durationMs: Math.round(recording.recordedMs),
        streamIds: recording.streamIds,
      });
    };
    if (windowMs === 0) finish();
    else recording.end = this.#parts.clock.schedule(windowMs, finish);
  }

  #merges(recording: Recording, session: Session, configuration: RecordingConfiguration, now: number): boolean {
    const { streamEndedAt } = recording;
    if (streamEndedAt === undefined || recording.configuration.arn !== configuration.arn) return false;
    if (now - streamEndedAt < this.#parts.settings.timings.recordingWriteMs) return false;
    if (recording.streamIds.length >= MOST_STREAMS || now - recording.startedAt > LONGEST_MS) return false;
    return alike(recording.media, session.media);
  }

  /** `ivs/v1/<account>/<channel>/<Y>/<M>/<D>/<h>/<m>/<id>`: UTC, without leading zeros. */
  #prefix(session: Session, now: number): string {
    const at = new Date(now);
    const minute = [at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate(), at.getUTCHours(), at.getUTCMinutes()];
    const { settings, ids } = this.#parts;
    return `ivs/v1/${settings.accountId}/${session.channel.id}/${minute.join('/')}/${ids.recording()}`;
  }

  #event(told: Told): void {
    this.#tell(told.session, {
      type: RECORDING_CHANGE,
      channelArn: told.session.channelArn,
      detail: {
        channel_name: told.session.channel.name,
        stream_id: told.session.streamId,
        recording_status: told.status,
        recording_status_reason: told.reason,
        recording_s3_bucket_name: told.bucketName,
        recording_s3_key_prefix: told.prefix,
        recording_duration_ms: told.durationMs,
        recording_session_id: told.sessionId,
        ...(told.status === 'Recording End' ? { recording_session_stream_ids: told.streamIds ?? [] } : {}),
      },
    });
  }
}

interface Told {
  readonly session: Session;
  readonly status: string;
  readonly reason: string;
  readonly bucketName: string;
  readonly prefix: string;
  readonly durationMs: number;
  readonly sessionId: string;
  readonly streamIds?: readonly string[];
}

const summary = (session: Session, recording: Recording) => ({
  session,
  bucketName: recording.configuration.bucketName,
  prefix: recording.prefix,
  sessionId: recording.sessionId,
});

/** Same picture and codecs, and a bitrate that differs by at most half. */
const alike = (a: Media, b: Media): boolean =>
  a.width === b.width &&
  a.height === b.height &&
  a.framerate === b.framerate &&
  a.videoCodec === b.videoCodec &&
  a.audioCodec === b.audioCodec &&
  Math.abs(a.videoBitrate - b.videoBitrate) <= a.videoBitrate / 2;
