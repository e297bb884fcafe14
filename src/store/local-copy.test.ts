import { describe, expect, test } from 'vitest';
import { at, kindOf } from '#test/support/plain-keys.ts';
import { DraftTransaction, LocalCopy } from './local-copy.ts';

const draftOver = (base: LocalCopy | DraftTransaction) =>
  new DraftTransaction({ base, nowMs: 0, repeats: new Set<string>() });

describe('what a draft lists', () => {
  const copy = new LocalCopy();
  for (const id of ['kept', 'changed', 'deleted']) copy.set(at(`fact/${id}`), 'old');
  copy.set(at('stream/other'), 'old');

  test('is what was there, with its own writes and those of the draft below', () => {
    const below = draftOver(copy);
    below.set(at('fact/changed'), 'below');
    below.set(at('fact/added'), 'below');
    const own = draftOver(below);
    own.delete(at('fact/deleted'));
    own.delete(at('fact/added'));
    own.set(at('fact/own'), 'own');
    own.set(at('stream/own'), 'own');

    expect(Object.fromEntries(own.entries(kindOf('fact')))).toEqual({ kept: 'old', changed: 'below', own: 'own' });
    expect(own.count(kindOf('fact'))).toBe(3);
    expect(Object.fromEntries(own.entries(kindOf('stream')))).toEqual({ other: 'old', own: 'own' });
    expect([...own.entries(kindOf('nothing'))]).toEqual([]);
    expect(Object.fromEntries(copy.entries(kindOf('fact')))).toEqual({ kept: 'old', changed: 'old', deleted: 'old' });
  });

  test('is as it was when the first is taken: whoever walks over it may write', () => {
    const draft = draftOver(copy);
    draft.set(at('fact/own'), 'own');
    const seen: string[] = [];
    for (const [id] of draft.entries(kindOf('fact'))) {
      seen.push(id);
      draft.delete(at(`fact/${id}`));
      draft.set(at(`fact/${id}-again`), 'new');
    }
    expect(seen.toSorted()).toEqual(['changed', 'deleted', 'kept', 'own']);
  });
});
