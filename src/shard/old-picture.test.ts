import { expect, test } from 'vitest';
import { oldPictureOf } from './old-picture.ts';

const away = (sinceMs: number) => ({ kind: 'away', sinceMs }) as const;

test.each([
  ['the state was just read', undefined, 99_000, undefined],
  ['nothing was read yet, and Redis works', undefined, undefined, undefined],
  ['the state has not been read for long', undefined, 79_999, { kind: 'unread', sinceMs: 79_999, asOfMs: 79_999 }],
  ['Redis is away', away(90_000), 89_000, { kind: 'away', sinceMs: 89_000, asOfMs: 89_000 }],
  ['Redis is away and was never there', away(90_000), undefined, { kind: 'away', sinceMs: 90_000, asOfMs: undefined }],
  ['a connection was lost a moment ago, and the state is still read', away(96_000), 99_000, undefined],
  ['a connection stays lost', away(90_000), 99_000, { kind: 'away', sinceMs: 90_000, asOfMs: 99_000 }],
])('%s', (_situation, outage, asOfMs, picture) => {
  expect(oldPictureOf(outage, asOfMs, 100_000)).toEqual(picture);
});
