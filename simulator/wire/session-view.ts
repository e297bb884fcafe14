// How stream sessions look in answers.

import type { ActionContext } from '../context.ts';
import type { Media, Session } from '../streams/session.ts';
import { recordingView } from './recording-view.ts';
import { isoSeconds } from './time.ts';
import { channelView } from './views.ts';

export const sessionSummary = (session: Session) => ({
  streamId: session.streamId,
  startTime: session.startTime,
  endTime: session.endedAt === undefined ? undefined : isoSeconds(session.endedAt),
  hasErrorEvent: session.hasErrorEvent,
});

/** `endTime` and `recordingConfiguration` are absent while live and when not recorded. */
export function sessionView(session: Session, { settings, clock }: ActionContext) {
  const { recording } = session;
  const video = videoView(session.media);
  const audio = audioView(session.media);
  return {
    streamId: session.streamId,
    startTime: session.startTime,
    endTime: session.endedAt === undefined ? undefined : isoSeconds(session.endedAt),
    channel: channelView(session.channel, settings),
    ingestConfiguration: { video, audio },
    ingestConfigurations: { videoConfigurations: [video], audioConfigurations: [audio] },
    recordingConfiguration: recording === undefined ? undefined : recordingView(recording, clock.now()),
    truncatedEvents: session.events.toReversed().map(({ name, type, at, code }) => ({
      name,
      type,
      eventTime: isoSeconds(at),
      code,
    })),
  };
}

/** An AVC profile and level say the same in their old and new members. */
const videoView = (media: Media) => ({
  avcProfile: 'Main',
  avcLevel: '4.1',
  codec: media.videoCodec,
  encoder: media.encoder,
  targetBitrate: media.videoBitrate,
  targetFramerate: media.framerate,
  videoHeight: media.height,
  videoWidth: media.width,
  level: '4.1',
  profile: 'Main',
  track: 'track0',
});

const audioView = (media: Media) => ({
  codec: media.audioCodec,
  targetBitrate: media.audioBitrate,
  sampleRate: media.audioSampleRate,
  channels: media.audioChannels,
  track: 'track0',
});
