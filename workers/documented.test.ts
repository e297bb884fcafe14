import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { actionNames } from '#domain/action.ts';
import { actionHandlers } from './actions.ts';

test('every action has a handler and a heading in docs/actions.md, and nothing else has', () => {
  const text = readFileSync(join(import.meta.dirname, '../docs/actions.md'), 'utf8');
  const headings = Array.from(text.matchAll(/^## ([a-z_]+)$/gm), ([, heading]) => heading!);

  expect(headings.toSorted()).toEqual(actionNames.toSorted());
  expect(Object.keys(actionHandlers).toSorted()).toEqual(actionNames.toSorted());
});
