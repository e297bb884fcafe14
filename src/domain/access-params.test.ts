// What the actions on ads, playback, viewers and new channels accept, and what is refused before IVS is called.
import { describe, expect, it } from 'vitest';
import { actionSchemas } from './action.ts';
import { countryCodes } from './countries.ts';
import { mayNameViewers, withoutViewerIds } from './viewer-ids.ts';

function problemOf(action: keyof typeof actionSchemas, params: object): string {
  const result = actionSchemas[action].safeParse(params);
  const [issue] = result.error?.issues ?? [];
  return issue ? `${issue.path.join('.')}: ${issue.message}` : '';
}

const edit = (lists: object) => problemOf('edit_playback_restriction', { policy: 'europe', ...lists });

describe('countries', () => {
  it('are the 249 officially assigned codes of ISO 3166-1', () => {
    expect(countryCodes.size).toBe(249);
    for (const code of ['GB', 'US', 'AQ', 'SS', 'ZW']) expect(countryCodes).toContain(code);
    for (const code of ['UK', 'EU', 'XK', 'ZZ', 'AN', 'gb']) expect(countryCodes).not.toContain(code);
  });

  it.each([
    [['GB', 'IE'], ''],
    [[], ''],
    [['{{ http.body.country }}'], ''],
    [['UK'], 'allowed_countries.0: "UK" is no country'],
    [['GB', 'de'], 'allowed_countries.1: write DE, in capital letters'],
    [['GBR'], '"GBR" is no country'],
    [[''], '"" is no country'],
    [Array.from({ length: 201 }, () => 'GB'), 'allowed_countries: Too big'],
  ])('%j', (countries, problem) => {
    expect(edit({ allowed_countries: countries })).toContain(problem);
    expect(edit({ allowed_countries: countries }) === '').toBe(problem === '');
  });
});

describe('origins', () => {
  it.each([
    ['https://www.example.com', ''],
    ['http://localhost:8080', ''],
    ['capacitor://localhost', ''],
    ['null', ''],
    ['https://www.example.com/', 'without a path'],
    ['https://www.example.com/shows', 'without a path'],
    ['https://www.example.com?x=1', 'without a path'],
    ['www.example.com', 'expected an origin'],
    ['*', 'an empty list allows every origin'],
    ['https://*.example.com', 'expected an origin'],
    ['https://user@example.com', 'expected an origin'],
    ['https://WWW.example.com', 'a browser sends it as https://www.example.com'],
    ['https://www.example.com:443', 'a browser sends it as https://www.example.com'],
    [`https://${'a'.repeat(125)}.com`, 'at most 128 characters'],
  ])('%s', (origin, problem) => {
    const found = edit({ allowed_origins: [origin] });

    expect(found).toContain(problem);
    expect(found === '').toBe(problem === '');
  });

  it('number at most five, and one of the two lists is required', () => {
    expect(edit({ allowed_origins: Array.from({ length: 6 }, (_, n) => `https://${n}.example.com`) })).toContain(
      'Too big',
    );
    expect(edit({})).toContain('expected allowed_countries, allowed_origins or both');
  });
});

describe('viewers', () => {
  const revoke = (params: object) => problemOf('revoke_viewers', params);

  it('have ids of 1 to 40 characters, 1 to 1,000 of them', () => {
    expect(revoke({ viewers: ['a', 'b'.repeat(40)], versions_up_to: 0 })).toBe('');
    expect(revoke({ viewers: ['a', 'b'.repeat(41)] })).toBe('viewers.1: the id of a viewer has 1 to 40 characters');
    expect(revoke({ viewers: [''] })).toContain('1 to 40 characters');
    expect(revoke({ viewers: [] })).toContain('Too small');
    expect(revoke({ viewers: Array.from({ length: 1001 }, () => 'a') })).toContain('Too big');
    expect(revoke({ viewers: ['a'], versions_up_to: -1 })).toContain('Too small');
    expect(revoke({ viewers: ['a'], versions_up_to: 1.5 })).toContain('versions_up_to');
    expect(revoke({ viewers: ['a'], version: 1 })).toContain('Unrecognized');
  });

  it('are hidden from callers who may only look, in requests and in results', () => {
    const row = {
      what: 'revoke_viewers',
      params: { viewers: ['ann', 'ben'], versions_up_to: 1 },
      steps: [{ step: 'not_revoked', errors: [{ viewerId: 'ann', code: 'ValidationException', message: 'not ann' }] }],
      message: 'kept',
    };

    expect(withoutViewerIds(row)).toEqual({
      what: 'revoke_viewers',
      params: { viewers: ['2 hidden'], versions_up_to: 1 },
      steps: [
        { step: 'not_revoked', errors: [{ viewerId: '[hidden]', code: 'ValidationException', message: '[hidden]' }] },
      ],
      message: 'kept',
    });
    expect(['revoke_viewers', 'bulk revoke_viewers', 'stop_stream'].map(mayNameViewers)).toEqual([true, true, false]);
  });
});

describe('new channels and recording configurations', () => {
  it.each([
    ['provision_channel', { name: 'cup-final', tags: { show: 'cup' } }, ''],
    ['provision_channel', { name: '{{ http.body.name }}' }, ''],
    ['provision_channel', { name: 'cup final' }, 'name: expected 1 to 128 letters'],
    ['provision_channel', { name: '' }, 'name: expected 1 to 128 letters'],
    ['provision_channel', { name: 'x', type: 'PREMIUM' }, 'type'],
    ['provision_channel', { name: 'x', tags: { 'aws:x': 'y' } }, 'reserved'],
    ['provision_channel', { name: 'x', tags: { 'ivs-autopilot:pool': 'y' } }, 'reserved'],
    ['provision_channel', { name: 'x', deliver: {} }, 'deliver: expected exactly one of'],
    ['lease_channel', { pool: 'spares' }, 'deliver'],
    ['lease_channel', { pool: 'spares', deliver: { file: '/k' }, for: 'long' }, 'for: expected a duration'],
    ['ensure_recording_configuration', { name: 'prod', bucket: 'prod-recordings' }, ''],
    [
      'ensure_recording_configuration',
      { name: 'prod', bucket: 'Prod_Recordings' },
      'bucket: expected the name of an S3 bucket',
    ],
    [
      'ensure_recording_configuration',
      { name: 'prod', bucket: 'b-1', reconnect_window_seconds: 301 },
      'reconnect_window',
    ],
  ] as const)('%s %j', (action, params, problem) => {
    const found = problemOf(action, params);

    expect(found).toContain(problem);
    expect(found === '').toBe(problem === '');
  });
});
