// The service's side of a broadcast: accepts or refuses connections, follows their data, ends sessions, and reports what happened. It knows
// keys and sessions; encoders (streams/encoders.ts) are its clients, as OBS would be.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/streaming-config.html

import type { Clock, Timer } from '../clock.ts';
import {
  AD_BREAK_CHANGE,
  eventName,
  type Happening,
  HEALTH_CHANGE,
  LIMIT_BREACH,
  LIMIT_UNITS,
  type LimitName,
  STATE_CHANGE,
} from '../events/event.ts';
import type { Ids } from '../ids.ts';
import { type Change, overlay } from '../overlay.ts';
import type { Settings } from '../settings.ts';
import type { Channel, Store } from '../store.ts';
import { isoSeconds } from '../wire/time.ts';
import { Recordings } from './recordings.ts';
import {
  type AdBreak,
  type ChannelSnapshot,
  DEFAULT_MEDIA,
  type Media,
  SESSION_EVENTS,
  type Session,
} from './session.ts';
import { Sessions } from './sessions.ts';
import type { ViewerCurve } from './viewers.ts';

/** What an encoder sends. */
export interface ConnectRequest {
  readonly streamKey: string;
  readonly priority?: number | undefined;
  readonly media?: Change<Media> | undefined;
  readonly viewers?: ViewerCurve | undefined;
  /** UNKNOWN: the service cannot say yet. */
  readonly health?: 'HEALTHY' | 'UNKNOWN' | undefined;
  /** A reason why the session is refused after it was created (a `code` of Session Ended). */
  readonly rejectWith?: string | undefined;
  /** The stream is not processed: Stream Failure. */
  readonly transcodeFails?: boolean | undefined;
}

export type RefusalReason =
  | 'UnknownStreamKey'
  | 'AlreadyStreaming'
  | 'TakeoverRefused'
  | 'ConcurrentStreamsExceeded'
  | 'SessionRejected'
  | 'StreamFailed';

export type Connected =
  | { readonly accepted: true; readonly channelArn: string; readonly streamId: string; readonly takeover: boolean }
  | { readonly accepted: false; readonly channelArn?: string; readonly reason: RefusalReason };

/** Why an encoder lost its connection. */
export type Cut = 'stopped' | 'taken-over' | 'timed-out' | 'deleted';

interface Parts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly store: Store;
  readonly settings: Settings;
}

export class Ingest {
  readonly sessions = new Sessions();
  readonly recordings: Recordings;
  /** Set by the encoders: called when the service disconnects them. */
  onCut: (channelArn: string, why: Cut) => void = () => {};
  readonly #parts: Parts;
  readonly #emit: (happening: Happening) => void;
  readonly #silent = new Map<string, Timer>();

  constructor(parts: Parts, emit: (happening: Happening) => void) {
    this.#parts = parts;
    this.#emit = emit;
    this.recordings = new Recordings(parts, (session, happening) => this.#tell(session, happening));
  }

  /** An encoder connects with its key, and with a priority if it wants to take over. */
  connect(request: ConnectRequest): Connected {
    const { store, settings } = this.#parts;
    const key = store.keyByValue(request.streamKey);
    const channel = key === undefined ? undefined : store.channels.get(key.channelArn);
    if (channel === undefined) return { accepted: false, reason: 'UnknownStreamKey' };
    const current = this.sessions.current(channel.arn);
    if (current !== undefined && (current.phase === 'starting' || current.phase === 'live')) {
      return this.#takeOver(current, request);
    }
    const active = this.sessions.connectedCount;
    if (active >= settings.quotas.concurrentStreams) {
      this.breach('Concurrent Broadcasts', settings.quotas.concurrentStreams, active + 1);
      return { accepted: false, channelArn: channel.arn, reason: 'ConcurrentStreamsExceeded' };
    }
    return this.#open(channel, request);
  }

  /** Less data arrives than announced. */
  starve(session: Session): void {
    if (session.health === 'STARVING' || session.phase !== 'live') return;
    session.health = 'STARVING';
    this.#stateEvent(session, HEALTH_CHANGE, 'Starvation Start');
  }

  /** Data flows again. */
  recover(session: Session): void {
    this.#silent.get(session.streamId)?.cancel();
    this.#silent.delete(session.streamId);
    const starving = session.health === 'STARVING';
    session.health = 'HEALTHY';
    if (!starving || session.phase !== 'live') return;
    this.#stateEvent(session, HEALTH_CHANGE, 'Starvation End');
  }

  /** No data at all: starving now, and the service ends the stream after thirty seconds unless it recovers. */
  lose(session: Session): void {
    this.starve(session);
    this.#silent.get(session.streamId)?.cancel();
    const timer = this.#parts.clock.schedule(this.#parts.settings.timings.lossTimeoutMs, () => {
      this.end(session);
      this.onCut(session.channelArn, 'timed-out');
    });
    this.#silent.set(session.streamId, timer);
  }

  /** The connection is closed, by either side. The last segments, and with them Stream End, follow. */
  end(session: Session, code?: string): void {
    if (session.phase === 'ending' || session.phase === 'ended') return;
    const { clock, settings } = this.#parts;
    this.#silent.get(session.streamId)?.cancel();
    this.#silent.delete(session.streamId);
    const watched = session.phase === 'live';
    this.sessions.wind(session);
    this.#stateEvent(session, STATE_CHANGE, 'Session Ended', code === undefined ? {} : { code });
    const finish = (): void => {
      this.sessions.end(session, clock.now());
      if (!watched) return;
      this.#stateEvent(session, STATE_CHANGE, 'Stream End');
      this.recordings.streamEnded(session);
    };
    if (!watched || settings.timings.sessionEndToStreamEndMs === 0) finish();
    else clock.schedule(settings.timings.sessionEndToStreamEndMs, finish);
  }

  /** StopStream: the service disconnects the encoder and tells it. */
  stop(session: Session): void {
    this.end(session);
    this.onCut(session.channelArn, 'stopped');
  }

  /** A limit is exceeded: an event, and for a limit of a stream a mark on its session. */
  breach(
    limit: LimitName,
    limitValue: number,
    value: number,
    session?: Session,
    unit: string = LIMIT_UNITS[limit],
  ): void {
    const happening: Happening = {
      type: LIMIT_BREACH,
      ...(session === undefined ? {} : { channelArn: session.channelArn }),
      detail: {
        [this.#parts.settings.switches.limitField]: limit,
        limit_value: limitValue,
        exceeded_by: value - limitValue,
        limit_unit: unit,
        ...(session === undefined ? {} : { channel_name: session.channel.name, stream_id: session.streamId }),
      },
    };
    if (session === undefined) this.#emit(happening);
    else this.#tell(session, happening);
  }

  /** The ad break that is announced or running now. */
  adBreak({ adBreak, phase }: Session): AdBreak | undefined {
    return phase === 'live' && adBreak !== undefined && this.#parts.clock.now() < adBreak.endsAt ? adBreak : undefined;
  }

  /** Inserts an ad break; the caller has made sure that none is running. */
  insertAdBreak(session: Session, durationSeconds: number): AdBreak {
    const { clock, ids, settings } = this.#parts;
    // In whole seconds, as in the event: the end of the break is computed from that.
    const targetStartAt = Math.ceil((clock.now() + settings.timings.adBreakLeadMs) / 1000) * 1000;
    const adBreak: AdBreak = {
      id: ids.adBreak(),
      durationSeconds,
      targetStartAt,
      endsAt: targetStartAt + durationSeconds * 1000,
    };
    session.adBreak = adBreak;
    this.#stateEvent(session, AD_BREAK_CHANGE, 'Ad Break Inserted', {
      ad_break_id: adBreak.id,
      duration_seconds: durationSeconds,
      target_start_time: isoSeconds(targetStartAt),
    });
    return adBreak;
  }

  /**
   * Ends the sessions that a viewer began with tokens up to a version: on a private channel that is live, one viewer fewer,
   * however often that viewer is revoked.
   */
  revokeViewer(channel: Channel, viewerId: string, version: number): void {
    const session = this.sessions.live(channel.arn);
    if (session === undefined || !channel.authorized) return;
    session.revoked.set(viewerId, Math.max(version, session.revoked.get(viewerId) ?? 0));
  }

  #open(channel: Channel, request: ConnectRequest): Connected {
    const { clock, ids, store, settings } = this.#parts;
    const created = store.nextSeq();
    const startedAt = clock.now();
    const session: Session = {
      created,
      seq: created,
      streamId: ids.stream(),
      channelArn: channel.arn,
      channel: snapshot(channel),
      recording: store.recordingConfigurations.get(channel.recordingConfigurationArn),
      startedAt,
      startTime: isoSeconds(startedAt),
      media: overlay(DEFAULT_MEDIA, request.media),
      phase: 'starting',
      health: request.health ?? 'HEALTHY',
      viewers: request.viewers ?? 0,
      revoked: new Map(),
      priority: request.priority,
      takeovers: 0,
      hasErrorEvent: false,
      events: [],
    };
    this.sessions.add(session);
    this.#stateEvent(session, STATE_CHANGE, 'Session Created');
    const refused = (reason: RefusalReason): Connected => ({ accepted: false, channelArn: channel.arn, reason });
    const rejection = request.rejectWith ?? multitrackProblem(session);
    if (rejection !== undefined) {
      this.end(session, rejection);
      return refused('SessionRejected');
    }
    if (request.transcodeFails === true) {
      const reason = 'Transcode capacity exceeded. Please try again.';
      this.#stateEvent(session, STATE_CHANGE, 'Stream Failure', { reason });
      this.end(session);
      return refused('StreamFailed');
    }
    const start = (): void => {
      if (session.phase !== 'starting') return;
      session.seq = store.nextSeq();
      this.sessions.goLive(session);
      this.#stateEvent(session, STATE_CHANGE, 'Stream Start');
      this.recordings.streamStarted(session);
    };
    if (settings.timings.sessionToStartMs === 0) start();
    else clock.schedule(settings.timings.sessionToStartMs, start);
    return { accepted: true, channelArn: channel.arn, streamId: session.streamId, takeover: false };
  }

  #takeOver(session: Session, request: ConnectRequest): Connected {
    const { channelArn } = session;
    const { priority } = request;
    if (priority === undefined) return { accepted: false, channelArn, reason: 'AlreadyStreaming' };
    const code = this.#takeoverProblem(session, priority, overlay(DEFAULT_MEDIA, request.media));
    if (code !== undefined) {
      this.#stateEvent(session, STATE_CHANGE, 'Stream Takeover Failure', { code });
      return { accepted: false, channelArn, reason: 'TakeoverRefused' };
    }
    this.onCut(channelArn, 'taken-over');
    session.priority = priority;
    session.takeovers++;
    this.#stateEvent(session, STATE_CHANGE, 'Stream Takeover');
    this.recover(session);
    return { accepted: true, channelArn, streamId: session.streamId, takeover: true };
  }

  #takeoverProblem(session: Session, priority: number, media: Media): string | undefined {
    const valid = Number.isInteger(priority) && priority >= 1 && priority <= 2_147_483_647;
    if (!valid || (session.priority !== undefined && priority <= session.priority))
      return 'StreamTakeoverInvalidPriority';
    const { width, height, videoCodec, audioCodec, tracks } = session.media;
    const same =
      media.width === width &&
      media.height === height &&
      media.tracks.length === tracks.length &&
      media.videoCodec === videoCodec &&
      media.audioCodec === audioCodec;
    if (!same) return 'StreamTakeoverMediaMismatch';
    const most = this.#parts.settings.quotas.takeoversPerStream;
    return session.takeovers >= most ? 'StreamTakeoverLimitBreached' : undefined;
  }

  #stateEvent(
    session: Session,
    type: string,
    name: string,
    extra: Readonly<Record<string, string | number>> = {},
  ): void {
    const detail = { event_name: name, channel_name: session.channel.name, stream_id: session.streamId, ...extra };
    this.#tell(session, { type, channelArn: session.channelArn, detail });
  }

  /** Adds an event to the session's own list and publishes it. */
  #tell(session: Session, happening: Happening): void {
    const name = eventName(happening);
    const code = happening.detail['code'];
    session.events.push({
      name,
      type: happening.type,
      at: this.#parts.clock.now(),
      ...(typeof code === 'string' ? { code } : {}),
    });
    if (session.events.length > SESSION_EVENTS) session.events.shift();
    if (happening.type === LIMIT_BREACH || name.endsWith('Failure')) session.hasErrorEvent = true;
    this.#emit(happening);
  }
}

const snapshot = (channel: Channel): ChannelSnapshot => ({ ...channel, tags: new Map(channel.tags) });

/** https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/multitrack-video-sw-integration.html */
const MOST_TRACKS = 5;

/** The largest picture of a track by `maximumResolution`: longest edge, and total pixels. */
const LARGEST_TRACK = {
  SD: { edge: 864, pixels: 864 * 480 },
  HD: { edge: 1280, pixels: 1280 * 720 },
  FULL_HD: { edge: 1920, pixels: 1920 * 1080 },
} as const;

/** The `code` with which a session with these tracks is refused on this channel. */
function multitrackProblem({ channel, media }: Session): string | undefined {
  const { enabled, policy, maximumResolution } = channel.multitrackInputConfiguration;
  if (media.tracks.length === 0) return enabled && policy === 'REQUIRE' ? 'MultitrackInputRequired' : undefined;
  if (!enabled) return 'MultitrackInputNotAllowed';
  if (media.tracks.length + 1 > MOST_TRACKS) return 'InvalidMultitrackInputTrackCount';
  const { edge, pixels } = LARGEST_TRACK[maximumResolution];
  const tooLarge = [media, ...media.tracks].some(
    ({ width, height }) => Math.max(width, height) > edge || width * height > pixels,
  );
  return tooLarge ? 'InvalidMultitrackInputVideoTrackMediaProperties' : undefined;
}
