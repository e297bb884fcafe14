import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { Index, Kind } from '#domain/state-key.ts';
import { at, kindOf } from '#test/support/plain-keys.ts';
import { DraftTransaction, LocalCopy } from './local-copy.ts';

const draftOver = (base: LocalCopy | DraftTransaction) =>
  new DraftTransaction({ base, nowMs: 0, repeats: new Set<string>() });

describe('the entries of a draft', () => {
  const copy = new LocalCopy();
  for (const id of ['kept', 'changed', 'deleted']) copy.set(at(`fact/${id}`), 'old');
  copy.set(at('stream/other'), 'old');

  test('are the old ones, with its own writes and those of the draft below', () => {
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

  test('are found without a look at the writes, if none of them is of that kind', () => {
    const draft = draftOver(copy);
    const later = draftOver(draft);
    later.set(at('stream/own'), 'own');
    later.delete(at('past/other'));
    draft.join(later);
    const walk = vi.spyOn(draft.writes, Symbol.iterator);

    expect(draft.count(kindOf('fact'))).toBe(3);
    expect([...draft.entries(kindOf('fact'))]).toHaveLength(3);
    expect(walk).not.toHaveBeenCalled();
    expect(draft.count(kindOf('stream'))).toBe(2);
    expect([...draft.entries(kindOf('past'))]).toEqual([]);
    expect(walk).toHaveBeenCalledTimes(2);
  });

  test('are those of the moment when the first is read, so a loop over them may write', () => {
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

/** Numbers by their residues: `odd`, and `three` of three. */
const residues: Index<number> = {
  of: kindOf('fact') as Kind<number>,
  under: (value) => [...(value % 2 === 1 ? ['odd'] : []), ...(value % 3 === 0 ? ['three'] : [])],
};

test('an index finds what a full walk finds, after any writes, in drafts over drafts, and in a copy that was replaced', () => {
  const write = fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd'), value: fc.option(fc.nat(6), { nil: undefined }) });
  const step = fc.record({
    // Where to write, or whether the copy becomes one that holds only this.
    to: fc.constantFrom('copy', 'lower', 'upper', 'another'),
    write,
    ask: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const copy = new LocalCopy();
      const lower = draftOver(copy);
      const upper = draftOver(lower);
      for (const {
        to,
        write: { id, value },
        ask,
      } of steps) {
        const place = at(`fact/${id}`);
        if (to === 'another') {
          const other = new LocalCopy();
          other.set(place, value);
          copy.become(other);
        } else if (to === 'copy') copy.set(place, value);
        else if (value === undefined) (to === 'lower' ? lower : upper).delete(place);
        else (to === 'lower' ? lower : upper).set(place, value);
        if (!ask) continue;
        for (const view of [copy, lower, upper])
          for (const word of ['odd', 'three']) {
            const walked = [...view.entries(residues.of)].filter(([, each]) => residues.under(each).includes(word));
            expect(Object.fromEntries(view.indexed(residues, word))).toEqual(Object.fromEntries(walked));
          }
      }
    }),
  );
});
