// Judges what an encoder sends against what its channel takes, in plain words. Pure.
// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/service-quotas.html ,
// https://docs.aws.amazon.com/ivs/latest/LowLatencyUserGuide/streaming-config.html
import type { StreamSession, VideoTrack } from './ports.ts';

/** Most bits per second of a single-track stream, video and audio together. BASIC takes more up to 480p. */
const mostBps: Readonly<Record<string, number>> = {
  STANDARD: 8_500_000,
  ADVANCED_HD: 8_500_000,
  ADVANCED_SD: 8_500_000,
  BASIC: 3_500_000,
};
const basicLargeBps = 1_500_000;
const mostPixels = 1920 * 1080;

/** What may be wrong with a session's input, most important first; empty: nothing was found. */
export function sessionHints(session: StreamSession): string[] {
  const hints = session.video.flatMap((track) => videoHints(track, session));
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

function videoHints(track: VideoTrack, { channelType, audio }: StreamSession): string[] {
  const hints: string[] = [];
  const { width, height, framerate, targetBitrateBps } = track;
  const size = width && height ? `${height}p` : 'video';
  const limitBps = channelType === 'BASIC' && (height ?? 0) > 480 ? basicLargeBps : mostBps[channelType];
  const audioBps = audio.reduce((sum, { targetBitrateBps: bps }) => sum + (bps ?? 0), 0);
  const totalBps = (targetBitrateBps ?? 0) + audioBps;
  if (limitBps !== undefined && totalBps > limitBps)
    hints.push(`${size} at ${mbps(totalBps)} on a ${channelType} channel, which takes ${mbps(limitBps)}`);
  if (width && height && (width * height > mostPixels || Math.max(width, height) > 1920))
    hints.push(`${width}x${height} is larger than 1080p, the most that any channel takes`);
  if (framerate !== undefined && framerate > 60) hints.push(`${framerate} frames per second: the most is 60`);
  if (track.codec !== '' && !/^avc1|h\.?264/i.test(track.codec)) hints.push(`video codec ${track.codec}: use H.264`);
  return hints;
}

function mbps(bps: number): string {
  return `${Number((bps / 1_000_000).toFixed(1))} Mbps`;
}
