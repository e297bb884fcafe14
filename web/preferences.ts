// A person's preferences in this browser (localStorage): how the list looks, which streams come first, how new alerts are reported. They
// are not part of the address: a link shows a colleague the same streams, in the look that the colleague prefers.
import { signal } from '@preact/signals';

/** Columns that can be hidden, in their order. */
export const choosableColumns = ['viewers', 'started', 'recording', 'key', 'next'] as const;
export type ChoosableColumn = (typeof choosableColumns)[number];

export interface Preferences {
  /** Undefined: as many as fit into the window. */
  readonly columns?: readonly ChoosableColumn[] | undefined;
  readonly density: 'comfortable' | 'compact';
  /** ARNs of channels whose streams come before all others. */
  readonly pinned: readonly string[];
  readonly sound: boolean;
  readonly desktop: boolean;
}

/** The most pins that are kept: more would be a list of their own. */
export const mostPinned = 100;

const storageKey = 'ivs-autopilot-preferences';
const defaults: Preferences = { density: 'comfortable', pinned: [], sound: false, desktop: false };

export const preferences = signal<Preferences>(read());

/** Changes some and keeps them for the next visit, if the browser stores anything. */
export function prefer(changes: Partial<Preferences>): void {
  preferences.value = { ...preferences.peek(), ...changes };
  try {
    localStorage.setItem(storageKey, JSON.stringify(preferences.peek()));
  } catch {
    // Nothing can be stored here: it lasts until the page is closed.
  }
}

/** Pins or unpins a channel. Returns false if there are already as many pins as are kept. */
export function togglePin(arn: string): boolean {
  const { pinned } = preferences.peek();
  if (pinned.includes(arn)) prefer({ pinned: pinned.filter((each) => each !== arn) });
  else if (pinned.length >= mostPinned) return false;
  else prefer({ pinned: [...pinned, arn] });
  return true;
}

/** Follows changes in other tabs of this browser. Returns a function that stops this. */
export function followPreferences(): () => void {
  const onStorage = ({ key }: StorageEvent) => {
    if (key === storageKey || key === null) preferences.value = read();
  };
  addEventListener('storage', onStorage);
  return () => removeEventListener('storage', onStorage);
}

function read(): Preferences {
  try {
    return preferencesOf(JSON.parse(localStorage.getItem(storageKey) ?? '{}'));
  } catch {
    return defaults;
  }
}

/** What was stored, checked: another version of the page, or a person, may have written it. */
function preferencesOf(stored: unknown): Preferences {
  if (typeof stored !== 'object' || stored === null) return defaults;
  const { columns, density, pinned, sound, desktop } = stored as Readonly<Record<string, unknown>>;
  return {
    ...(Array.isArray(columns) ? { columns: choosableColumns.filter((name) => columns.includes(name)) } : {}),
    density: density === 'compact' ? 'compact' : 'comfortable',
    pinned: Array.isArray(pinned)
      ? [...new Set(pinned.filter((arn): arn is string => typeof arn === 'string' && arn.startsWith('arn:')))].slice(
          0,
          mostPinned,
        )
      : [],
    sound: sound === true,
    desktop: desktop === true,
  };
}
