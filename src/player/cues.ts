// For players: unpacks the timed metadata that ivs-autopilot sends, and drops repeats. No dependencies; for browsers.
// The envelope is that of src/metadata/envelope.ts: {"v":1,"items":[{"id","t","d"}]}; README.md shows it with the IVS web player.

/** One item that was sent to the channel. */
export interface CueItem {
  /** The same for every repeat of the item; undefined if it was sent without an envelope. */
  readonly id: string | undefined;
  /** When ivs-autopilot accepted it, epoch milliseconds; undefined if it was sent without an envelope. */
  readonly acceptedAtMs: number | undefined;
  /** The payload: an object (or list) if the text is JSON of one, otherwise the text, whoever sent it and whether or not it was packed. */
  readonly data: unknown;
}

/** The items in a cue's text, in order. A text that is no envelope is one item. Never throws. */
export function unpackCue(text: string): CueItem[] {
  const data = dataOf(text);
  const items = itemsOf(data);
  if (!items) return [{ id: undefined, acceptedAtMs: undefined, data }];
  return items.flatMap((item) => {
    if (typeof item !== 'object' || item === null || !('d' in item)) return [];
    const { id, t, d } = item as { id?: unknown; t?: unknown; d: unknown };
    return [
      {
        id: typeof id === 'string' ? id : undefined,
        acceptedAtMs: typeof t === 'number' ? t : undefined,
        data: typeof d === 'string' ? dataOf(d) : d,
      },
    ];
  });
}

/** A text that is JSON of an object or a list becomes that, because outside of an envelope nothing else distinguishes them. */
function dataOf(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function itemsOf(data: unknown): unknown[] | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const { v, items } = data as { v?: unknown; items?: unknown };
  return v === 1 && Array.isArray(items) ? (items as unknown[]) : undefined;
}

export interface CueReaderOptions {
  /** How many ids are remembered; the oldest is forgotten first. Default 1000. */
  readonly remember?: number;
}

/**
 * Unpacks cues and returns each item once: delivery is at least once, and a repeat has the same id. One for each player, because an item
 * that goes to several channels has the same id on all of them.
 */
export class CueReader {
  readonly #remember: number;
  readonly #seen = new Set<string>();

  constructor({ remember = 1000 }: CueReaderOptions = {}) {
    this.#remember = remember;
  }

  /** The items of a cue that were not returned before. */
  read(text: string): CueItem[] {
    return unpackCue(text).filter(({ id }) => id === undefined || this.#isNew(id));
  }

  /** Forgets every id, for example when the player loads another channel. */
  reset(): void {
    this.#seen.clear();
  }

  #isNew(id: string): boolean {
    // A repeated id counts as fresh, so that a frequent repeat is not forgotten.
    const isNew = !this.#seen.delete(id);
    this.#seen.add(id);
    if (this.#seen.size > this.#remember) {
      for (const oldest of this.#seen) {
        this.#seen.delete(oldest);
        break;
      }
    }
    return isNew;
  }
}
