import { expect, test, vi } from 'vitest';
import { Gather } from './gather.ts';

function gathering(run: (requests: readonly number[]) => Promise<readonly string[]>) {
  const sent: (readonly number[])[] = [];
  const gather = new Gather<number, string>({
    withinMs: 5,
    most: 3,
    run: (requests) => {
      sent.push(requests);
      return run(requests);
    },
  });
  return { gather, sent };
}

test('requests within the time go out as one, and each gets its own answer', async () => {
  vi.useFakeTimers();
  try {
    const { gather, sent } = gathering(async (requests) => requests.map((request) => `answer ${request}`));
    const answers = Promise.all([gather.ask(1), gather.ask(2)]);
    vi.advanceTimersByTime(4);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(await answers).toEqual(['answer 1', 'answer 2']);

    // As many as may go together, and an urgent one together with those that wait.
    const full = Promise.all([gather.ask(3), gather.ask(4), gather.ask(5)]);
    const hurried = Promise.all([gather.ask(6), gather.ask(7, true)]);
    await Promise.all([full, hurried]);
    expect(sent).toEqual([
      [1, 2],
      [3, 4, 5],
      [6, 7],
    ]);
    vi.advanceTimersByTime(10);
    expect(sent).toHaveLength(3);
  } finally {
    vi.useRealTimers();
  }
});

test('a failure fails all that went together, and none after them', async () => {
  let fails = true;
  const { gather } = gathering(async (requests) => {
    if (fails) throw new Error('away');
    return requests.map(String);
  });

  const lost = await Promise.allSettled([gather.ask(1), gather.ask(2, true)]);
  fails = false;

  expect(lost.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await gather.ask(3, true)).toBe('3');
});
