// The SDK's own description of the API checks the simulator and the daemon's client: a member, a value, an error or an operation that a
// newer SDK brings fails here until somebody has decided what to do with it.

import { afterAll, describe, expect, it } from 'vitest';
import { ivsOperations } from '#domain/ivs-operations.ts';
import { problemOf } from '#ivs/answers.ts';
import { publishedLimits } from '#ivs/limits.ts';
import { ERROR_STATUS } from '#simulator/errors.ts';
import { OPERATIONS } from '#simulator/operations.ts';
import { startSimulator } from '#simulator/server.ts';
import { CALL_RATES, type CallRate } from '#simulator/throttle/quotas.ts';
import type { Shape } from '#simulator/wire/shape.ts';
import { disagreements, gaps, type OperationSchema, sdkOperations, withoutMember } from '#test/support/ivs-schema.ts';
import { tour } from '#test/support/ivs-tour.ts';

const described = sdkOperations();
const simulator = await startSimulator({ seed: 'tour', enforcement: 'off' });
const calls = await tour(simulator);

afterAll(() => simulator.close());

const named = <T extends { readonly name: string }>(operations: readonly T[], name: string): T =>
  operations.find((operation) => operation.name === name)!;
const namesOf = (operations: readonly { readonly name: string }[]): string[] => operations.map(({ name }) => name);

/** All differences between the simulator's table and a description. */
const simulatorDrift = (table: readonly (typeof OPERATIONS)[number][], api: readonly OperationSchema[]): string[] => {
  const missing = namesOf(api).filter((name) => named(table, name) === undefined);
  const extra = namesOf(table).filter((name) => named(api, name) === undefined);
  const different = table.flatMap(({ name, method, path, status, errors, input }) => {
    const theirs = named(api, name);
    if (theirs === undefined) return [];
    const route = [method, path, status].join(' ');
    const routeOfTheirs = [theirs.method, theirs.path, theirs.status].join(' ');
    return [
      ...(route === routeOfTheirs ? [] : [`${name}: ${route} instead of ${routeOfTheirs}`]),
      ...(errors.toSorted().join() === theirs.errors.join() ? [] : [`${name}: errors ${theirs.errors.join()}`]),
      ...disagreements(name, input, theirs.input),
    ];
  });
  return [...missing.map((name) => `${name}: no such operation`), ...extra, ...different];
};

/** All differences between the simulator's answers and a description. */
const answerDrift = (api: readonly OperationSchema[]): string[] =>
  api.flatMap(({ name, output }) => {
    const bodies = calls.filter(({ operation, body }) => operation === name && body !== '');
    return gaps(
      name,
      output,
      bodies.map(({ body }) => JSON.parse(body)),
    );
  });

/** A copy of the description in which an operation's input or output has lost or gained something. */
const altered = (name: string, side: 'input' | 'output', alter: (shape: Shape) => Shape): OperationSchema[] =>
  described.map((operation) =>
    operation.name === name ? { ...operation, [side]: alter(operation[side]) } : operation,
  );

const gaining = (member: string) => (shape: Shape) =>
  shape.kind === 'structure'
    ? { ...shape, members: { ...shape.members, [member]: { required: false, shape: { kind: 'text' } as const } } }
    : shape;

describe('the description', () => {
  it('has 41 operations, with members, enumerations and errors', () => {
    expect(described).toHaveLength(41);
    expect(named(described, 'InsertAdBreak')).toMatchObject({
      method: 'POST',
      path: '/InsertAdBreak',
      status: 200,
      errors: expect.arrayContaining(['ChannelNotBroadcasting', 'ConflictException']),
      input: { members: { durationSeconds: { required: true, shape: { kind: 'integer' } } } },
    });
    expect(named(described, 'ListStreams').input).toMatchObject({
      members: {
        filterBy: { shape: { members: { health: { shape: { values: ['HEALTHY', 'STARVING', 'UNKNOWN'] } } } } },
      },
    });
  });
});

describe('the simulator', () => {
  it('has the operations, routes, members, enumerations and errors of the SDK', () => {
    expect(simulatorDrift(OPERATIONS, described)).toEqual([]);
    expect(described.flatMap(({ errors }) => errors).filter((name) => !(name in ERROR_STATUS))).toEqual([]);
  });

  it('answers with every member of the SDK and with no other', () => {
    expect(answerDrift(described)).toEqual([]);
    expect(new Set(calls.map(({ operation }) => operation))).toEqual(new Set(namesOf(described)));
    for (const { operation, status } of calls) expect(status).toBe(named(described, operation).status);
  });

  it.each([
    ['CreateChannel', ['adConfigurationArn'], 'CreateChannel.adConfigurationArn: missing'],
    [
      'UpdateChannel',
      ['multitrackInputConfiguration', 'policy'],
      'UpdateChannel.multitrackInputConfiguration.policy: missing',
    ],
    [
      'BatchStartViewerSessionRevocation',
      ['viewerSessions', 'viewerId'],
      'BatchStartViewerSessionRevocation.viewerSessions[].viewerId: missing',
    ],
  ])('a missing member would be noticed: %s %j', (name, path, line) => {
    const table = OPERATIONS.map((one) =>
      one.name === name ? { ...one, input: withoutMember(one.input, path) } : one,
    );
    expect(simulatorDrift(table, described)).toEqual([line]);
  });

  it.each([
    ['a request', altered('PutMetadata', 'input', gaining('priority')), ['PutMetadata.priority: missing'], []],
    ['an answer', altered('GetStream', 'output', gaining('quality')), [], ['GetStream.quality: never answered']],
    [
      'nowhere any more',
      altered('GetStream', 'output', (shape) => withoutMember(shape, ['stream', 'viewerCount'])),
      [],
      ['GetStream.stream.viewerCount: unknown to the SDK'],
    ],
    [
      'an enumeration',
      altered('ListStreams', 'input', () => ({
        kind: 'structure',
        members: {
          ...(named(described, 'ListStreams').input as Extract<Shape, { kind: 'structure' }>).members,
          filterBy: {
            required: false,
            shape: {
              kind: 'structure',
              members: { health: { required: false, shape: { kind: 'enum', values: ['ILL'] } } },
            },
          },
        },
      })),
      ['ListStreams.filterBy.health: HEALTHY,STARVING,UNKNOWN instead of ILL'],
      [],
    ],
    [
      'a new operation',
      [...described, { ...named(described, 'GetStream'), name: 'GetWeather' }],
      ['GetWeather: no such operation'],
      ['GetWeather.stream: never answered'],
    ],
  ])('a newer SDK’s addition would be noticed: %s', (_, api, inTable, inAnswers) => {
    expect(simulatorDrift(OPERATIONS, api)).toEqual(inTable);
    expect(answerDrift(api)).toEqual(inAnswers);
  });
});

describe('the daemon', () => {
  it('knows the same operations, with the rates that the simulator enforces', () => {
    expect([...ivsOperations].toSorted()).toEqual(namesOf(described));
    const rates = Object.fromEntries(Object.entries(CALL_RATES).map(([name, rate]) => [name, rateOf(rate)]));
    expect(publishedLimits).toMatchObject(rates);
    expect(Object.keys(rates).toSorted()).toEqual(Object.keys(publishedLimits).toSorted());
  });

  const used = calls.filter(({ operation }) => isUsed(operation));

  it('accepts every answer that has all members', () => {
    const problems = used.map(({ operation, input, body }) => problemOf(operation as never, input, body));
    expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
  });

  it('checks each member of an answer, unless the member is named here as one that it does not read', () => {
    const unread = new Set<string>();
    for (const { operation, input, body } of used) {
      for (const { name, spoilt } of spoiltMembers(body)) {
        if (problemOf(operation as never, input, JSON.stringify(spoilt)) === undefined) unread.add(name);
      }
    }
    expect([...unread].filter((name) => !NOT_READ.has(name)).toSorted()).toEqual([]);
    const answered = new Set(calls.flatMap(({ body }) => [...spoiltMembers(body)].map(({ name }) => name)));
    expect([...NOT_READ].filter((name) => !answered.has(name))).toEqual([]);
  });
});

const rateOf = ({ account, channel }: CallRate) =>
  channel === undefined ? { perAccount: account } : { perAccount: account, perChannel: channel };

/** Whether the daemon's client has the operation: only those answers are checked. */
function isUsed(operation: string): boolean {
  try {
    problemOf(operation as never, {}, '{}');
    return true;
  } catch {
    return false;
  }
}

/** Each member of a body, replaced by a value that no member may have; named by its parent. */
function* spoiltMembers(body: string): Generator<{ name: string; spoilt: unknown }> {
  if (body === '') return;
  const root: unknown = JSON.parse(body);
  for (const { holder, key, name } of membersOf('', root)) {
    const right = holder[key];
    holder[key] = typeof right === 'object' ? 'spoilt' : { spoilt: true };
    yield { name, spoilt: root };
    holder[key] = right;
  }
}

function membersOf(parent: string, value: unknown): { holder: Record<string, unknown>; key: string; name: string }[] {
  if (Array.isArray(value)) return value.flatMap((item) => membersOf(parent.replace(/s$/, ''), item));
  if (typeof value !== 'object' || value === null || parent === 'tags') return [];
  const holder = value as Record<string, unknown>;
  return Object.entries(holder).flatMap(([key, inner]) => [
    { holder, key, name: parent === '' ? key : `${parent}.${key}` },
    ...membersOf(key, inner),
  ]);
}

/** Members that the daemon does not read, or not in every answer that has them. */
const NOT_READ: ReadonlySet<string> = new Set(
  `audio.track audioConfiguration.track video.track videoConfiguration.track
  channel.ingestEndpoint channel.playbackUrl
  recordingConfiguration.destinationConfiguration destinationConfiguration.s3 s3.bucketName
  recordingConfiguration.name recordingConfiguration.recordingReconnectWindowSeconds recordingConfiguration.state
  recordingConfiguration.renditionConfiguration renditionConfiguration.renditionSelection renditionConfiguration.renditions
  recordingConfiguration.thumbnailConfiguration thumbnailConfiguration.recordingMode thumbnailConfiguration.resolution
  thumbnailConfiguration.storage thumbnailConfiguration.targetIntervalSeconds
  adConfiguration.mediaTailorPlaybackConfigurations adConfiguration.postRollConfiguration adConfiguration.tags
  mediaTailorPlaybackConfiguration.playbackConfigurationArn postRollConfiguration.durationSeconds postRollConfiguration.enabled
  playbackRestrictionPolicie.enableStrictOriginEnforcement playbackRestrictionPolicie.tags
  playbackRestrictionPolicy.enableStrictOriginEnforcement playbackRestrictionPolicy.tags
  keyPair.tags recordingConfiguration.tags streamKey.tags stream.playbackUrl streamSession.hasErrorEvent`.split(/\s+/),
);
