import { expect, test } from 'vitest';
import { type Control, controlKinds } from '#domain/control.ts';
import { silence } from '#rules/controls.ts';
import { MemoryState } from '#store/memory-state.ts';
import { keptLogger } from '#test/support/quiet.ts';
import { logControl } from './control-line.ts';

const by = { who: 'token mara', reason: 'drill' };

test('every control is one line that says who, what and why', () => {
  const { logger, lines } = keptLogger();
  for (const kind of controlKinds) logControl(logger, { kind, ...by, matchers: [] } as unknown as Control);
  logControl(logger, { kind: 'activate', ...by });
  expect(lines).toHaveLength(controlKinds.length + 1);
  for (const line of lines) expect(line).toMatchObject({ level: 30, control: expect.any(String), ...by });
  expect(new Set(lines.map(({ msg }) => msg)).size).toBe(lines.length);
});

test('the line of a silence has its id and its times, so that the line of its end can be matched', async () => {
  const { logger, lines } = keptLogger();
  const asked = { matchers: ['rule="slate"'], ...by, startsMs: 1_760_000_000_000, endsMs: 1_760_000_060_000 };
  const { id } = await new MemoryState({ now: () => asked.startsMs }).transact((tx) => silence(tx, asked));
  logControl(logger, { kind: 'silence', ...asked });
  expect(lines).toMatchObject([
    { id, matchers: asked.matchers, starts: '2025-10-09T08:53:20.000Z', ends: '2025-10-09T08:54:20.000Z' },
  ]);
});
