import { describe, expect, test } from 'vitest';
import { carriedAccounts, selectionOf } from './carried.ts';

const accounts = ['main', 'eu-west', 'eu-north', 'us-1', 'us-12'].map((name) => ({ name }));
const carried = (text: string) => carriedAccounts(accounts, { text, from: 'run --accounts' }).map(({ name }) => name);

describe('a selection', () => {
  test.each([
    ['a name', 'main', ['main']],
    ['names in any order, with spaces', 'us-1 , main', ['main', 'us-1']],
    ['a pattern', 'eu-*', ['eu-west', 'eu-north']],
    ['names and patterns that overlap, each account once', 'eu-west,eu-*,*-west', ['eu-west', 'eu-north']],
    ['everything', '*', ['main', 'eu-west', 'eu-north', 'us-1', 'us-12']],
    ['stars that match nothing', '*us-1**', ['us-1', 'us-12']],
    ['a name is not a prefix', 'us-1', ['us-1']],
    ['parts in order', '*u*-*t*', ['eu-west', 'eu-north']],
  ])('%s', (_, text, names) => {
    expect(carried(text)).toEqual(names);
  });

  test('left out means all of them', () => {
    expect(carriedAccounts(accounts, undefined)).toEqual(accounts);
    expect(carriedAccounts(accounts, selectionOf(undefined, { AUTOPILOT_ACCOUNTS: '' }))).toEqual(accounts);
  });

  test('the option overrides the environment', () => {
    const env = { AUTOPILOT_ACCOUNTS: 'main' };
    expect(selectionOf('eu-*', env)).toEqual({ text: 'eu-*', from: 'run --accounts' });
    expect(selectionOf(undefined, env)).toEqual({ text: 'main', from: 'AUTOPILOT_ACCOUNTS' });
  });
});

describe('an invalid selection', () => {
  test.each([
    [
      'an unknown name',
      'main,eu-wset',
      /^run --accounts: there is no account eu-wset \(did you mean eu-west\?\); accounts.*main, eu-west/,
    ],
    ['a pattern without an account', 'main,ap-*', /^run --accounts: ap-\* selects no account; accounts/],
    ['nothing', '', /^run --accounts: selects nothing: name accounts, or leave it out/],
    ['blanks', '  ', /selects nothing/],
    ['a comma too many', 'main,,us-1', /has a comma with no name before or after it/],
    ['a comma at the end', 'main,', /has a comma/],
    ['capitals', 'MAIN', /"MAIN" is no name: .*\(did you mean main\?\)/],
    ['another kind of pattern', 'eu-{west,north}', /"eu-\{west" is no name/],
    ['a line break, which is shown as text', 'ma\nin', /"ma\\nin" is no name/],
  ])('%s is refused in one line that says where it was set', (_, text, message) => {
    expect(() => carried(text)).toThrow(
      expect.objectContaining({ code: 'ACCOUNTS_INVALID', message: expect.stringMatching(message) }),
    );
    expect(() => carried(text)).toThrow(/^[^\n]*$/);
  });

  test('names the variable if the selection came from there', () => {
    const selection = selectionOf(undefined, { AUTOPILOT_ACCOUNTS: 'x' });
    expect(() => carriedAccounts(accounts, selection)).toThrow(/^AUTOPILOT_ACCOUNTS: there is no account x;/);
  });

  test('lists some of many accounts', () => {
    const many = Array.from({ length: 500 }, (_, index) => ({ name: `a-${index}` }));
    expect(() => carriedAccounts(many, { text: 'b', from: 'run --accounts' })).toThrow(/a-29, and 470 more$/);
  });

  test('with many stars takes no time', () => {
    const name = { name: 'a'.repeat(32) };
    expect(() => carriedAccounts([name], { text: '*a'.repeat(5000) + '*b', from: 'x' })).toThrow(/selects no account/);
  });
});

describe('accounts that share an event queue', () => {
  const queue = 'https://sqs.us-west-2.amazonaws.com/111122223333/ivs-events';
  const sharing = [
    { name: 'a', queue_url: queue },
    { name: 'b', queue_url: queue },
    { name: 'c' },
    { name: 'd', queue_url: `${queue}-2` },
  ];
  const carriedOf = (text: string) =>
    carriedAccounts(sharing, { text, from: 'run --accounts' }).map(({ name }) => name);

  test('are carried together', () => {
    expect(carriedOf('a,b')).toEqual(['a', 'b']);
    expect(carriedOf('c,d')).toEqual(['c', 'd']);
    expect(carriedOf('*')).toEqual(['a', 'b', 'c', 'd']);
  });

  test.each(['a', 'b,c'])('but not in part: %s', (text) => {
    expect(() => carriedOf(text)).toThrow(
      expect.objectContaining({
        code: 'ACCOUNTS_INVALID',
        message: expect.stringMatching(/^run --accounts: [ab] and [ab] have one event queue/),
      }),
    );
  });
});
