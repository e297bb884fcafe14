// Compares what an encoder sends with what its channel accepts, in plain words. Pure.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html ,
// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/streaming-config.html ,
// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/multitrack-video.html
import type { StreamSession, VideoTrack } from './ports.ts';

/** The most bits per second of a stream with one video track, video and audio together (service quotas, ingest bitrate). */
const mostBps: Readonly<Record<string, number>> = {
  STANDARD: 8_500_000,
  ADVANCED_HD: 8_500_000,
  ADVANCED_SD: 8_500_000,
  BASIC: 3_500_000,
};
/** BASIC accepts less for a picture of up to 480 lines. */
const basicSmallBps = 1_500_000;
/** All tracks of a multitrack stream together, which only STANDARD channels accept. */
const multitrackBps = 15_000_000;

interface LargestPicture {
  readonly name: string;
  readonly pixels: number;
  readonly edge: number;
}

/** The largest picture of a track (service quotas, ingest resolution); with multitrack input by the channel's `maximumResolution`. */
const fullHd: LargestPicture = { name: '1080p', pixels: 1920 * 1080, edge: 1920 };
const largestByResolution: Readonly<Record<string, LargestPicture>> = {
  SD: { name: 'SD', pixels: 864 * 480, edge: 864 },
  HD: { name: 'HD', pixels: 1280 * 720, edge: 1280 },
  FULL_HD: fullHd,
};

/** What may be wrong with a session's input, most important first; empty: nothing was found. */
export function sessionHints(session: StreamSession): string[] {
  const hints = [...bitrateHints(session), ...session.video.flatMap((track) => trackHints(track, session))];
  for (const { codec, sampleRateHz } of session.audio) {
    if (codec !== '' && !/^mp4a|aac/i.test(codec)) hints.push(`audio codec ${codec}: IVS takes AAC`);
    if (sampleRateHz !== undefined && sampleRateHz !== 44_100 && sampleRateHz !== 48_000)
      hints.push(`audio at ${sampleRateHz} Hz: use 44100 or 48000`);
  }
  if (session.video.length === 0 && session.audio.length > 0) hints.push('the encoder sends audio only');
  const starved = session.events.filter(({ name }) => name === 'Starvation Start').length;
  if (starved > 0) hints.push(`starved ${starved} time(s): the encoder's uplink is too slow or unstable`);
  for (const { name, code } of session.events) if (code) hints.push(`${name}: ${code}`);
  return [...new Set(hints)];
}

function isMultitrack({ video, channelType }: StreamSession): boolean {
  return video.length > 1 && channelType === 'STANDARD';
}

/** The stream's bits per second compared with the quota; audio counts. */
function bitrateHints(session: StreamSession): string[] {
  const { video, audio, channelType } = session;
  const sum = (tracks: readonly { readonly targetBitrateBps: number | undefined }[]) =>
    tracks.reduce((total, { targetBitrateBps }) => total + (targetBitrateBps ?? 0), 0);
  if (isMultitrack(session)) {
    const totalBps = sum(video) + sum(audio);
    return totalBps > multitrackBps
      ? [`${video.length} video tracks at ${mbps(totalBps)} together: a multitrack stream takes ${mbps(multitrackBps)}`]
      : [];
  }
  return video.flatMap((track) => {
    const { width, height } = track;
    // The lines of an upright picture are on its shorter edge. If the size is unknown, BASIC's lower limit is not checked.
    const lines = width && height ? Math.min(width, height) : undefined;
    const limitBps =
      channelType === 'BASIC' && lines !== undefined && lines <= 480 ? basicSmallBps : mostBps[channelType];
    const totalBps = sum([track]) + sum(audio);
    if (limitBps === undefined || totalBps <= limitBps) return [];
    const size = lines === undefined ? 'video' : `${lines}p`;
    return [`${size} at ${mbps(totalBps)} on a ${channelType} channel, which takes ${mbps(limitBps)}`];
  });
}

function trackHints(track: VideoTrack, session: StreamSession): string[] {
  const hints: string[] = [];
  const { width, height, framerate } = track;
  const multitrack = isMultitrack(session);
  const largest = (multitrack ? largestByResolution[session.maximumResolution] : undefined) ?? fullHd;
  if (width && height && (width * height > largest.pixels || Math.max(width, height) > largest.edge)) {
    const whose =
      multitrack && largest !== fullHd ? `a track of this channel (maximumResolution ${largest.name})` : 'any channel';
    hints.push(`${width}x${height} is larger than ${largest.name}, the most that ${whose} takes`);
  }
  if (framerate !== undefined && framerate > 60) hints.push(`${framerate} frames per second: the most is 60`);
  // Broadcast software may send HEVC as tracks of a multitrack stream.
  const codecs = multitrack ? /^avc1|h\.?264|^h[ve][vc]1|hevc|h\.?265/i : /^avc1|h\.?264/i;
  if (track.codec !== '' && !codecs.test(track.codec)) hints.push(`video codec ${track.codec}: use H.264`);
  return hints;
}

function mbps(bps: number): string {
  return `${Number((bps / 1_000_000).toFixed(1))} Mbps`;
}
