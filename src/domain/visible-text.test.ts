import fc from 'fast-check';
import { expect, test } from 'vitest';
import { visibleLine, visibleLines } from './visible-text.ts';

test('makes controls, bidi and invisible characters visible, and keeps ordinary text', () => {
  expect(visibleLine('a\u001b[31mb\u001b]8;;http://x\u0007c\r\n\u009b2J\u202e\u2066\u2028\u200b\ufeff\u{e0041}')).toBe(
    String.raw`a\u001b[31mb\u001b]8;;http://x\u0007c\u000d\u000a\u009b2J\u202e\u2066\u2028\u200b\ufeff\udb40\udc41`,
  );
  // Names that look alike, or look empty.
  expect(visibleLine('\u3164a\u00adb\u034f\u115f\u180e\ufff0')).toBe(
    String.raw`\u3164a\u00adb\u034f\u115f\u180e\ufff0`,
  );
  const ordinary = 'Grüße, ゲーム 1 ✓ → 👩‍👩‍👧 मराठी العربية ❤️ 한국어';
  expect(visibleLine(ordinary)).toBe(ordinary);
  expect(visibleLine('\ud800x')).toBe(String.raw`\ud800x`);
  expect(visibleLines('a\r\nb\t')).toBe(String.raw`a\u000d` + '\n' + String.raw`b\u0009`);
});

test('keeps JSON valid and equal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const shown = visibleLines(JSON.stringify({ text }, null, 2));
      expect(JSON.parse(shown)).toEqual({ text });
      // oxlint-disable-next-line eslint/no-control-regex -- the test searches for them.
      expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    }),
    { numRuns: 1_000 },
  );
});
