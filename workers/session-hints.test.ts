import { expect, test } from 'vitest';
import type { StreamSession, VideoTrack } from './ports.ts';
import { sessionHints } from './session-hints.ts';

const session = (change: Omit<Partial<StreamSession>, 'video'> & { video?: Partial<VideoTrack>[] }): StreamSession => ({
  streamId: 'st-1',
  startTimeMs: 0,
  endTimeMs: undefined,
  channelType: 'STANDARD',
  maximumResolution: '',
  audio: [{ codec: 'mp4a.40.2', channels: 2, sampleRateHz: 48_000, targetBitrateBps: 128_000 }],
  recordingConfigurationArn: '',
  events: [],
  ...change,
  video: (change.video ?? [{}]).map((track) => ({
    codec: 'avc1.4D401F',
    encoder: 'an encoder',
    width: 1920,
    height: 1080,
    framerate: 30,
    targetBitrateBps: 6_000_000,
    avcProfile: 'Main',
    avcLevel: '4.0',
    ...track,
  })),
});

test.each<[string, Parameters<typeof session>[0]]>([
  ['on STANDARD', {}],
  ['of 1080p at 3 Mbps on BASIC', { channelType: 'BASIC', video: [{ targetBitrateBps: 3_000_000 }] }],
  [
    'of several tracks, each within the quota of all',
    {
      maximumResolution: 'FULL_HD',
      video: [{ targetBitrateBps: 9_000_000 }, { codec: 'hvc1', targetBitrateBps: 4_000_000 }],
    },
  ],
])('a suitable stream %s has no hints', (_name, change) => {
  expect(sessionHints(session(change))).toEqual([]);
});

test.each<[string, Parameters<typeof session>[0], string]>([
  ['too much for BASIC', { channelType: 'BASIC' }, '1080p at 6.1 Mbps on a BASIC channel, which takes 3.5 Mbps'],
  [
    'BASIC takes less up to 480p',
    { channelType: 'BASIC', video: [{ width: 854, height: 480, targetBitrateBps: 2_000_000 }] },
    '480p at 2.1 Mbps on a BASIC channel, which takes 1.5 Mbps',
  ],
  [
    'lines of an upright picture',
    { channelType: 'BASIC', video: [{ width: 480, height: 854, targetBitrateBps: 2_000_000 }] },
    '480p at 2.1 Mbps on a BASIC channel, which takes 1.5 Mbps',
  ],
  [
    'too much for all tracks together',
    { maximumResolution: 'FULL_HD', video: [{ targetBitrateBps: 9_000_000 }, { targetBitrateBps: 7_000_000 }] },
    '2 video tracks at 16.1 Mbps together: a multitrack stream takes 15 Mbps',
  ],
  [
    'a track larger than the channel’s maximum',
    { maximumResolution: 'HD', video: [{ targetBitrateBps: 5_000_000 }, { width: 1280, height: 720 }] },
    '1920x1080 is larger than HD, the most that a track of this channel (maximumResolution HD) takes',
  ],
  [
    'too much for STANDARD',
    { video: [{ targetBitrateBps: 9_000_000 }] },
    '1080p at 9.1 Mbps on a STANDARD channel, which takes 8.5 Mbps',
  ],
  [
    'too many pixels',
    { video: [{ width: 2560, height: 1440 }] },
    '2560x1440 is larger than 1080p, the most that any channel takes',
  ],
  ['too many frames', { video: [{ framerate: 120 }] }, '120 frames per second: the most is 60'],
  ['a wrong codec', { video: [{ codec: 'hvc1' }] }, 'video codec hvc1: use H.264'],
  [
    'starvation',
    {
      events: [
        { name: 'Starvation Start', timeMs: 1 },
        { name: 'Starvation Start', timeMs: 2 },
      ],
    },
    'starved 2 time(s): the encoder’s uplink is too slow or unstable',
  ],
  [
    'a code of the service',
    { events: [{ name: 'Session Ended', timeMs: 1, code: 'MultitrackInputNotAllowed' }] },
    'Session Ended: MultitrackInputNotAllowed',
  ],
])('%s', (_name, change, hint) => {
  expect(sessionHints(session(change)).map((text) => text.replaceAll("'", '’'))).toEqual([hint]);
});
