// The form of stream sessions in answers.

import type { ActionContext } from '../context.ts';
import type { Media, Session, Track } from '../streams/session.ts';
import { recordingView } from './recording-view.ts';
import { isoSeconds } from './time.ts';
import { channelView } from './views.ts';

export const sessionSummary = (session: Session) => ({
  streamId: session.streamId,
  startTime: session.startTime,
  endTime: session.endedAt === undefined ? undefined : isoSeconds(session.endedAt),
  hasErrorEvent: session.hasErrorEvent,
});

/** `endTime` is absent while live, `recordingConfiguration` if the session is not recorded. */
export function sessionView(session: Session, { settings, clock }: ActionContext) {
  const { recording } = session;
  const { media } = session;
  const video = videoView(media, media, 'Track0');
  const audio = audioView(media);
  const others = media.tracks.map((track, at) => videoView({ ...media, ...track }, media, `Track${at + 1}`));
  return {
    streamId: session.streamId,
    startTime: session.startTime,
    endTime: session.endedAt === undefined ? undefined : isoSeconds(session.endedAt),
    channel: channelView(session.channel, settings),
    ingestConfiguration: { video, audio },
    ingestConfigurations: { videoConfigurations: [video, ...others], audioConfigurations: [audio] },
    recordingConfiguration: recording === undefined ? undefined : recordingView(recording, clock.now()),
    truncatedEvents: session.events.toReversed().map(({ name, type, at, code }) => ({
      name,
      type,
      eventTime: isoSeconds(at),
      code,
    })),
  };
}

/** An AVC profile and level, which have the same values in their old and new members. */
const videoView = (track: Track, media: Media, name: string) => ({
  avcProfile: 'Main',
  avcLevel: '4.1',
  codec: track.videoCodec,
  encoder: media.encoder,
  targetBitrate: track.videoBitrate,
  targetFramerate: track.framerate,
  videoHeight: track.height,
  videoWidth: track.width,
  level: '4.1',
  profile: 'Main',
  track: name,
});

const audioView = (media: Media) => ({
  codec: media.audioCodec,
  targetBitrate: media.audioBitrate,
  sampleRate: media.audioSampleRate,
  channels: media.audioChannels,
  track: 'Track0',
});
