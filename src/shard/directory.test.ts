import { describe, expect, test } from 'vitest';
import type { ChannelArn } from '#domain/channel.ts';
import type { EventObservation } from '#domain/observation.ts';
import { ShardDirectory, type ShardIdentity } from './directory.ts';

const shard = (name: string, region: string, accountId?: string): ShardIdentity => ({ name, region, accountId });
const main = shard('main', 'us-west-2', '111122223333');
const second = shard('second', 'us-west-2');
const europe = shard('europe', 'eu-west-1', '111122223333');
const all = new ShardDirectory([main, second, europe]);
const arn = (region: string, account: string) => `arn:aws:ivs:${region}:${account}:channel/AbCdEf` as ChannelArn;
const event = (account: string, channelArn?: ChannelArn) =>
  ({ channelArn, envelope: { account, region: 'eu-west-1' } }) as unknown as EventObservation;

describe('a channel', () => {
  test.each([
    ['of a known account and Region', arn('us-west-2', '111122223333'), main],
    ['of the same account in another Region', arn('eu-west-1', '111122223333'), europe],
    [
      'of an account that no shard of the Region has, where one is not known yet',
      arn('us-west-2', '444455556666'),
      second,
    ],
    ['of an unknown account, where all of the Region are known', arn('eu-west-1', '444455556666'), undefined],
    ['of a Region that is not configured', arn('ap-south-1', '111122223333'), undefined],
    ['that is not an ARN', 'studio-a', undefined],
  ])('%s has its owner', (_, channelArn, owner) => {
    expect(all.findOfChannel(channelArn)).toBe(owner);
  });

  test('without an owner is not found, and the answer names the setting', () => {
    expect(() => all.ofChannel(arn('ap-south-1', '111122223333'))).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND', details: { setting: 'accounts' } }),
    );
    expect(all.ofChannel(arn('eu-west-1', '111122223333'))).toBe(europe);
  });
});

describe('an account', () => {
  test('is found by its name; an unknown name gets the nearest one and a list of all', () => {
    expect(all.named('second')).toBe(second);
    expect(() => all.named('mian')).toThrow(/no account mian \(did you mean main\?\).*main, second, europe/);
  });

  test('has to be named if there are several, and only then', () => {
    expect(all.namedOrOnly('europe')).toBe(europe);
    expect(() => all.namedOrOnly(undefined)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
    expect(new ShardDirectory([second]).namedOrOnly(undefined)).toBe(second);
    expect(all.first).toBe(main);
  });
});

describe('an event', () => {
  test.each([
    [
      'about a channel goes to its owner, by whichever queue it came',
      event('111122223333', arn('us-west-2', '111122223333')),
      europe,
      main,
    ],
    [
      'about a channel that nobody owns is nobody’s',
      event('111122223333', arn('ap-south-1', '111122223333')),
      main,
      undefined,
    ],
    [
      'without a channel goes to its account in the Region of the queue, not of the envelope',
      event('111122223333'),
      main,
      main,
    ],
    [
      'without a channel, of an account that is not known, goes to the shard that may have it',
      event('444455556666'),
      main,
      second,
    ],
    ['that names no account is nobody’s', event(''), main, undefined],
    ['that names something else than an account is nobody’s', event('1111222233334'), main, undefined],
  ])('%s', (_, observation, queueOf, owner) => {
    expect(all.findOfEvent(observation, queueOf)).toBe(owner);
  });
});

describe('an event of a queue that accounts share', () => {
  const known = new ShardDirectory([main, europe]);
  const shared = (account: string, region: string, channelArn?: ChannelArn) =>
    ({ channelArn, envelope: { account, region } }) as unknown as EventObservation;
  const id = '111122223333';

  test.each([
    ['goes by account and Region of its envelope', known, shared(id, 'eu-west-1'), europe],
    ['about a channel of the same place goes there', known, shared(id, 'us-west-2', arn('us-west-2', id)), main],
    [
      'whose channel is of another account is nobody’s',
      known,
      shared('444455556666', 'us-west-2', arn('us-west-2', id)),
      undefined,
    ],
    ['whose channel is of another Region is nobody’s', known, shared(id, 'eu-west-1', arn('us-west-2', id)), undefined],
    ['of an account that is not configured is nobody’s', known, shared('444455556666', 'us-west-2'), undefined],
    ['of a Region that is not configured is nobody’s', known, shared(id, 'ap-south-1'), undefined],
    ['that names no account is nobody’s', known, shared(undefined as never, 'us-west-2'), undefined],
    ['does not go to a shard that may have any account', all, shared('444455556666', 'us-west-2'), undefined],
  ])('%s', (_, directory, observation, owner) => {
    expect(directory.findOfSharedEvent(observation)).toBe(owner);
  });
});

describe('accounts that another process carries', () => {
  const asia = shard('asia', 'ap-south-1', '777788889999');
  const some = new ShardDirectory([main], {
    shards: [europe, asia],
    carriersOf: (name) => `web-2 (id 1a2b3c4d, role all) for ${name}`,
  });
  const elsewhere = expect.objectContaining({
    code: 'ACCOUNT_ELSEWHERE',
    message: expect.stringContaining('ask web-2 (id 1a2b3c4d, role all) for europe'),
    details: { account: 'europe' },
  });

  test('are known by name and channel, and are refused with the name of their carrier', () => {
    expect(() => some.named('europe')).toThrow(elsewhere);
    expect(() => some.namedOrOnly('europe')).toThrow(elsewhere);
    expect(() => some.ofChannel(arn('eu-west-1', '111122223333'))).toThrow(elsewhere);
    expect(some.findOfChannel(arn('eu-west-1', '111122223333'))).toBeUndefined();
    expect(some.findElsewhere(arn('eu-west-1', '111122223333'))).toBe(europe);
    expect([some.anyNamed('europe'), some.anyNamed('main')]).toEqual([europe, main]);
    expect(some.anyOfChannel(arn('eu-west-1', '111122223333'))).toBe(europe);
    expect(some.anyOfChannel(arn('us-west-2', '111122223333'))).toBe(main);
    expect(() => some.anyNamed('erope')).toThrow(/no account erope \(did you mean europe\?\).*main, europe, asia/);
  });

  test('count: an account must be named when there are several, even if only one is carried here', () => {
    expect([some.isOne, new ShardDirectory([main]).isOne]).toEqual([false, true]);
    expect(() => some.namedOrOnly(undefined)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });

  test('own their events, whichever queue delivers these', () => {
    const of = (account: string, region: string, channelArn?: ChannelArn) =>
      ({ channelArn, envelope: { account, region } }) as unknown as EventObservation;
    expect(some.findOfEvent(event('111122223333', arn('eu-west-1', '111122223333')), main)).toBe(europe);
    expect(some.findOfSharedEvent(of('777788889999', 'ap-south-1'))).toBe(asia);
    expect(some.findOfSharedEvent(of('777788889999', 'eu-west-1'))).toBeUndefined();
  });
});
