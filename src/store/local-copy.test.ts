import { describe, expect, test } from 'vitest';
import { DraftTransaction, LocalCopy } from './local-copy.ts';

const draftOver = (base: LocalCopy | DraftTransaction) =>
  new DraftTransaction({ base, nowMs: 0, repeats: new Set<string>() });

describe('what a draft lists', () => {
  const copy = new LocalCopy();
  for (const id of ['kept', 'changed', 'deleted']) copy.set(`fact/${id}`, 'old');
  copy.set('stream/other', 'old');

  test('is what was there, with its own writes and those of the draft below', () => {
    const below = draftOver(copy);
    below.set('fact/changed', 'below');
    below.set('fact/added', 'below');
    const own = draftOver(below);
    own.delete('fact/deleted');
    own.delete('fact/added');
    own.set('fact/own', 'own');
    own.set('stream/own', 'own');

    expect(Object.fromEntries(own.entries('fact'))).toEqual({ kept: 'old', changed: 'below', own: 'own' });
    expect(own.count('fact')).toBe(3);
    expect(Object.fromEntries(own.entries('stream'))).toEqual({ other: 'old', own: 'own' });
    expect([...own.entries('nothing')]).toEqual([]);
    expect(Object.fromEntries(copy.entries('fact'))).toEqual({ kept: 'old', changed: 'old', deleted: 'old' });
  });

  test('is as it was when the first is taken: whoever walks over it may write', () => {
    const draft = draftOver(copy);
    draft.set('fact/own', 'own');
    const seen: string[] = [];
    for (const [id] of draft.entries('fact')) {
      seen.push(id);
      draft.delete(`fact/${id}`);
      draft.set(`fact/${id}-again`, 'new');
    }
    expect(seen.toSorted()).toEqual(['changed', 'deleted', 'kept', 'own']);
  });
});
