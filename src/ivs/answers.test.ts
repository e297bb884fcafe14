// What an answer must contain to be trusted, for every operation of the client.
import { describe, expect, test } from 'vitest';
import { problemOf } from './answers.ts';
import type { ClientOperation } from './commands.ts';

const arn = (type: string, id = 'AbCdEf012345') => `arn:aws:ivs:us-west-2:111122223333:${type}/${id}`;
const channel = { arn: arn('channel'), name: '', tags: {} };
const key = { arn: arn('stream-key'), channelArn: arn('channel'), value: 'sk_1' };
const stream = { channelArn: arn('channel'), streamId: 'st-1', health: 'HEALTHY', viewerCount: -1, state: 'LIVE' };
const recording = { arn: arn('recording-configuration'), state: 'ACTIVE', destinationConfiguration: {} };
const ads = { arn: arn('ad-configuration'), name: 'show' };
const policy = { arn: arn('playback-restriction-policy'), allowedCountries: ['GB'], allowedOrigins: [] };
const pair = { arn: arn('playback-key'), name: 'main' };

const whole: Readonly<Record<ClientOperation, object>> = {
  BatchGetChannel: { channels: [channel], errors: [] },
  BatchGetStreamKey: { streamKeys: [key] },
  BatchStartViewerSessionRevocation: { errors: [] },
  CreateChannel: { channel, streamKey: key },
  CreateRecordingConfiguration: { recordingConfiguration: recording },
  CreateStreamKey: { streamKey: key },
  DeleteChannel: {},
  DeletePlaybackKeyPair: {},
  DeleteRecordingConfiguration: {},
  DeleteStreamKey: {},
  GetAdConfiguration: { adConfiguration: ads },
  GetChannel: { channel },
  GetPlaybackKeyPair: { keyPair: pair },
  GetPlaybackRestrictionPolicy: { playbackRestrictionPolicy: policy },
  GetRecordingConfiguration: { recordingConfiguration: recording },
  GetStream: { stream },
  GetStreamKey: { streamKey: key },
  GetStreamSession: { streamSession: { streamId: 'st-1', startTime: '2026-11-20T10:00:00Z', truncatedEvents: [] } },
  ImportPlaybackKeyPair: { keyPair: pair },
  InsertAdBreak: { adBreakId: 'hSi2o1WIVgij' },
  ListAdConfigurations: { adConfigurations: [ads] },
  ListChannels: { channels: [channel] },
  ListPlaybackKeyPairs: { keyPairs: [pair] },
  ListPlaybackRestrictionPolicies: { playbackRestrictionPolicies: [policy] },
  ListRecordingConfigurations: { recordingConfigurations: [recording], nextToken: null },
  ListStreamKeys: { streamKeys: [{ arn: arn('stream-key') }] },
  ListStreamSessions: { streamSessions: [{ streamId: 'st-1', hasErrorEvent: false }] },
  ListStreams: { streams: [stream], nextToken: 'next' },
  ListTagsForResource: { tags: { tier: 'gold' } },
  PutMetadata: {},
  StopStream: {},
  TagResource: {},
  UntagResource: {},
  UpdateChannel: { channel },
  UpdatePlaybackRestrictionPolicy: { playbackRestrictionPolicy: policy },
};
const operations = Object.keys(whole) as ClientOperation[];
/** If nobody was refused, the list of refusals may be left out. */
const mayBeEmpty: ReadonlySet<ClientOperation> = new Set(['BatchStartViewerSessionRevocation']);
const readers = operations.filter(
  (operation) => Object.keys(whole[operation]).length > 0 && !mayBeEmpty.has(operation),
);

describe('an answer of Amazon IVS', () => {
  test.each(operations)(
    'of %s is trusted if it contains what the operation promises, and new members besides',
    (name) => {
      expect(problemOf(name, {}, JSON.stringify({ ...whole[name], somethingNew: [1] }))).toBeUndefined();
    },
  );

  test.each(readers)('of %s is refused if it is empty, null, of another type, or lacks a member', (name) => {
    // Either member of a batch may be left out, so both must be checked against the request.
    const asked = name.startsWith('Batch') ? { arns: [arn('channel'), arn('stream-key')] } : {};
    for (const body of ['', '{}', 'null', '[]', '5', '"text"', '<html>a proxy</html>', '{"streams":'])
      expect(problemOf(name, asked, body), body).toBeDefined();
    for (const member of Object.keys(whole[name]).filter((one) => one !== 'nextToken' && one !== 'errors'))
      for (const value of [null, ...(member === 'adBreakId' ? [] : ['text']), 5, { length: 0 }, [null], [{}]]) {
        if (member === 'tags' && typeof value === 'object' && value !== null && !Array.isArray(value)) continue;
        expect(problemOf(name, asked, JSON.stringify({ ...whole[name], [member]: value })), member).toBeDefined();
      }
  });

  test.each(operations)('of %s is refused if it reports an error, whatever its status', (name) => {
    for (const error of [
      { __type: 'ThrottlingException' },
      { exceptionMessage: 'slow down' },
      { message: 'Internal' },
      { error: { code: 5 } },
    ])
      expect(problemOf(name, {}, JSON.stringify({ ...whole[name], ...error })), JSON.stringify(error)).toBeDefined();
  });

  test.each(operations.filter((name) => !readers.includes(name) && !mayBeEmpty.has(name)))(
    'of %s may be empty, but not a page of HTML',
    (name) => {
      expect(problemOf(name, {}, '')).toBeUndefined();
      expect(problemOf(name, {}, '<html>log in first</html>')).toBe('the body is not JSON');
      expect(problemOf(name, {}, '[]')).toBeDefined();
    },
  );

  test.each([
    [{ channelArn: 'arn:aws:ivs:us-west-2:1:stage/x' }, 'streams.0.channelArn: expected the ARN of a channel'],
    [{ channelArn: 7 }, 'streams.0.channelArn'],
    [{ streamId: '' }, 'streams.0.streamId'],
    [{ viewerCount: -2 }, 'streams.0.viewerCount'],
    [{ viewerCount: 1.5 }, 'streams.0.viewerCount'],
    [{ viewerCount: '7' }, 'streams.0.viewerCount'],
    [{ health: 3 }, 'streams.0.health'],
    [{ startTime: 'yesterday' }, 'streams.0.startTime'],
    [{ startTime: 1e20 }, 'streams.0.startTime'],
  ])('that lists a stream with %j is refused, and the message names the place', (odd, place) => {
    const body = JSON.stringify({ streams: [{ ...stream, ...odd }] });

    expect(problemOf('ListStreams', {}, body)).toContain(place);
  });

  test('with an unknown health is trusted', () => {
    expect(problemOf('ListStreams', {}, JSON.stringify({ streams: [{ ...stream, health: 'DIZZY' }] }))).toBeUndefined();
  });

  test.each([[5], [{ token: 'x' }], [['x']], [true]])('with the token %j for the next page is refused', (nextToken) => {
    expect(problemOf('ListStreams', {}, JSON.stringify({ streams: [], nextToken }))).toContain('nextToken');
  });

  test('with tags that are not texts is refused', () => {
    for (const tags of [{ a: 5 }, { a: null }, []])
      expect(problemOf('ListTagsForResource', {}, JSON.stringify({ tags }))).toContain('tags');
  });

  test.each([
    ['GetChannel', { arn: arn('channel') }, { arn: arn('channel', 'other') }, 'channel.arn: is not'],
    ['GetStream', { channelArn: arn('channel') }, { channelArn: arn('channel', 'other') }, 'stream.channelArn: is not'],
    ['GetStreamKey', { arn: key.arn }, { arn: arn('stream-key', 'other') }, 'streamKey.arn: is not'],
    [
      'CreateStreamKey',
      { channelArn: arn('channel') },
      { channelArn: arn('channel', 'other') },
      'streamKey.channelArn: is not',
    ],
    [
      'GetRecordingConfiguration',
      { arn: recording.arn },
      { arn: arn('recording-configuration', 'other') },
      'recordingConfiguration.arn: is not',
    ],
    ['GetPlaybackKeyPair', { arn: pair.arn }, { arn: arn('playback-key', 'other') }, 'keyPair.arn: is not'],
    ['GetAdConfiguration', { arn: ads.arn }, { arn: arn('ad-configuration', 'other') }, 'adConfiguration.arn: is not'],
    [
      'UpdatePlaybackRestrictionPolicy',
      { arn: policy.arn },
      { arn: arn('playback-restriction-policy', 'other') },
      'playbackRestrictionPolicy.arn: is not',
    ],
    [
      'GetStreamSession',
      { channelArn: arn('channel'), streamId: 'st-1' },
      { channelArn: arn('channel'), streamId: 'st-2' },
      'streamSession.streamId: is not',
    ],
    [
      'BatchGetChannel',
      { arns: [arn('channel')] },
      { arns: [arn('channel'), arn('channel', 'other')] },
      'a requested resource is missing',
    ],
  ] as const)(
    'of %s is trusted for the requested resource, and refused for another',
    (operation, own, other, problem) => {
      const body = JSON.stringify({ errors: [], ...whole[operation] });

      expect(problemOf(operation, own, body)).toBeUndefined();
      expect(problemOf(operation, other, body)).toMatch(new RegExp(`^${problem}`));
    },
  );

  test('about viewers may name only requested ones, and the message names none', () => {
    const asked = { viewerSessions: [{ channelArn: arn('channel'), viewerId: 'mara' }] };
    const answer = (viewerId: unknown) =>
      problemOf('BatchStartViewerSessionRevocation', asked, JSON.stringify({ errors: [{ viewerId, code: 'x' }] }));

    expect(answer('mara')).toBeUndefined();
    expect(answer('somebody else')).toBe('errors: names a viewer that was not requested');
    for (const value of [undefined, null, 5, '']) expect(answer(value)).toContain('viewerId');
  });

  test('with a policy without its lists is refused, because that would mean every country', () => {
    const { allowedCountries: _, ...rest } = policy;
    const body = JSON.stringify({ playbackRestrictionPolicy: rest });

    expect(problemOf('GetPlaybackRestrictionPolicy', {}, body)).toContain('allowedCountries');
  });

  test('is refused without revealing its content', () => {
    const body = JSON.stringify({ streamKey: { ...key, arn: 'sk_secret', value: 'sk_secret' } });

    expect(problemOf('GetStreamKey', {}, body)).not.toContain('sk_secret');
  });
});
