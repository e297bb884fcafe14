// What a rule in dry run would have done, in a sentence.
import { count, plural, words } from './format.ts';

/** `wouldHave` of `GET /v1/rules/{rule}`. */
export interface WouldHave {
  readonly times: number;
  readonly actions: Readonly<Record<string, number>>;
  readonly heldBack: Readonly<Record<string, number>>;
  readonly newest: readonly {
    readonly decisionId: string;
    readonly at: string;
    readonly channelArn?: string;
    readonly channelName?: string;
    readonly count: number;
    readonly actions: readonly string[];
  }[];
  readonly partial: boolean;
}

/**
 * `In the last 24 hours it would have acted 3 times: stop stream 3.`; if part of the journal was not searched, it does not say that nothing
 * was done.
 */
export function wouldHaveText({
  times,
  actions,
  heldBack,
  partial,
}: Pick<WouldHave, 'times' | 'actions' | 'heldBack' | 'partial'>): string {
  const did =
    times > 0
      ? `acted ${plural(times, 'time')}${partial ? ' or more' : ''}: ${tally(actions)}`
      : `done nothing${partial ? ', as far as the journal was searched' : ''}`;
  const held = Object.keys(heldBack).length === 0 ? '' : ` Guards would have held it back: ${tally(heldBack)}.`;
  return `In the last 24 hours it would have ${did}.${held}`;
}

/** `put metadata 14, stop stream 3`, the most frequent first. */
function tally(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, times]) => `${words(name)} ${count(times)}`)
    .join(', ');
}
