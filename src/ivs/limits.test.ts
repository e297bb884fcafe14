import * as sdk from '@aws-sdk/client-ivs';
import { IvsClient } from '@aws-sdk/client-ivs';
import { describe, expect, it } from 'vitest';
import { limitsFrom, operationNames, publishedLimits } from './limits.ts';

describe('the table of quotas', () => {
  it('has a row for every operation the SDK can call', () => {
    const commands = Object.keys(sdk).filter((name) => name.endsWith('Command') && name !== '$Command');

    expect(IvsClient).toBeDefined();
    expect(
      commands.map((name) => name.slice(0, -'Command'.length)).filter((name) => !(name in publishedLimits)),
    ).toEqual([]);
  });

  it('limits PutMetadata to 155 for the account and 5 for a channel', () => {
    expect(limitsFrom({})('PutMetadata')).toEqual({ perAccount: 155, perChannel: 5 });
  });

  it('counts only PutMetadata per channel', () => {
    expect(operationNames.filter((name) => limitsFrom({})(name).perChannel !== undefined)).toEqual(['PutMetadata']);
  });
});

describe('settings', () => {
  it('accept a different rate', () => {
    const limit = limitsFrom({ overrides: { PutMetadata: { perAccount: 500, perChannel: 10 } } });

    expect(limit('PutMetadata')).toEqual({ perAccount: 500, perChannel: 10 });
    expect(limit('StopStream')).toEqual({ perAccount: 5 });
  });

  it('leave other software its share, rounding ours down, but never to zero', () => {
    const half = limitsFrom({ share: 0.5 });

    expect(half('PutMetadata')).toEqual({ perAccount: 77, perChannel: 5 });
    expect(half('StopStream')).toEqual({ perAccount: 2 });
    expect(half('InsertAdBreak')).toEqual({ perAccount: 1 });
  });

  it('never give a channel more than the account', () => {
    expect(limitsFrom({ share: 0.02 })('PutMetadata')).toEqual({ perAccount: 3, perChannel: 3 });
  });

  it.each([
    [{ share: 0 }, 'limits.share'],
    [{ share: 1.1 }, 'limits.share'],
    [{ share: Number.NaN }, 'limits.share'],
    [{ overrides: { StopStream: { perAccount: 0 } } }, 'limits.overrides.StopStream.perAccount'],
    [{ overrides: { StopStream: { perAccount: 2.5 } } }, 'limits.overrides.StopStream.perAccount'],
    [{ overrides: Object.fromEntries([['StopStreams', { perAccount: 1 }]]) }, 'limits.overrides.StopStreams'],
  ])('refuse %j and name the setting', (settings, place) => {
    expect(() => limitsFrom(settings)).toThrow(place);
  });
});
