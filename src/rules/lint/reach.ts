// Whether any stream can ever satisfy a condition: patterns on StreamDocument are tried on every possible kind of stream.
import { streamHealths } from '#domain/channel.ts';
import type { StreamDocument } from '#domain/documents.ts';
import type { Matcher } from '#domain/rule.ts';

/** Fields whose values are unpredictable: a pattern that names them counts as reachable. */
const openFields = /"(?:streamId|failureReason|startTime)"/;

/** Whether some stream matches all of these patterns at once. */
export function isReachable(patterns: readonly (Matcher | undefined)[]): boolean {
  const given = patterns.filter((pattern) => pattern !== undefined);
  const text = JSON.stringify(given.map(({ source }) => source));
  if (openFields.test(text)) return true;
  const numbers = numbersIn(text);
  // If both are named, fewer values of each: all pairs are tried.
  const asksForAge = text.includes('"ageSeconds"');
  const counts = asksForAge && text.includes('"viewerCount"') ? numbers.slice(0, 60) : numbers;
  return kindsOfStreams(counts, asksForAge ? counts : []).some((document) =>
    given.every((pattern) => pattern.match(document)),
  );
}

function* numberMatches(text: string): Generator<number> {
  for (const [number] of text.matchAll(/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi)) yield Number(number);
}

/** Every number that a pattern compares with, and its neighbours. */
function numbersIn(text: string): readonly number[] {
  const numbers = new Set([0, 1]);
  for (const number of numberMatches(text)) {
    for (const value of [Math.floor(number) - 1, Math.floor(number), Math.ceil(number), Math.ceil(number) + 1]) {
      if (value >= 0) numbers.add(value);
    }
  }
  return [...numbers].slice(0, 400);
}

function kindsOfStreams(viewerCounts: readonly number[], ages: readonly number[]): StreamDocument[] {
  const recordings: readonly StreamDocument['recording'][] = ['none', 'recording', 'ended', 'failed'];
  return recordings.flatMap((recording) => {
    const notLive = (['created', 'ended', 'failed', 'offline'] as const).map(
      (state): StreamDocument => ({ live: false, state, recording }),
    );
    const live = streamHealths.flatMap((health) =>
      [false, true].flatMap((adBreak) => {
        const base: StreamDocument = { live: true, state: 'live', health, recording, adBreak };
        const aged = [base, ...ages.map((ageSeconds): StreamDocument => ({ ...base, ageSeconds }))];
        return aged.flatMap((one) => [one, ...viewerCounts.map((viewerCount) => ({ ...one, viewerCount }))]);
      }),
    );
    return [...notLive, ...live];
  });
}
