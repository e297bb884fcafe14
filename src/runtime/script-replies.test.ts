import { expect, test } from 'vitest';
import { z } from 'zod';
import { replyOf } from './script-replies.ts';

const shape = z.tuple([z.literal('done'), z.array(z.number())]);

test('returns a reply of the promised shape', () => {
  expect(replyOf('any', shape, ['done', [1, 2]])).toEqual(['done', [1, 2]]);
});

test.each([[null], [undefined], ['done'], [[]], [['done']], [['done', ['1']]], [['other', [1]]], [{ 0: 'done' }]])(
  'refuses the reply %j, with the name of the script',
  (reply) => {
    expect(() => replyOf('any', shape, reply)).toThrow(/the script any answered/);
  },
);
