// The keyboard: keys that open views, and those of the list that is shown.
import { useLayoutEffect, useRef } from 'preact/hooks';
import { askHold, askPause, showKeys } from './dialogs/controls.tsx';
import { isDialogOpen } from './parts/dialog.tsx';
import { go, href, route } from './route.ts';
import { isPaused, mayOperate } from './store.ts';

export interface ListKeys {
  /** j, k and the arrow keys move through the rows. */
  move(step: 1 | -1): void;
  /** The channel whose row has the focus. */
  focused(): string | undefined;
  /** Selects the focused row, or deselects it. */
  select(): void;
}

let list: ListKeys | undefined;

/** Makes j, k, the arrow keys, h and x work on a list while it is shown. */
export function useListKeys(keys: ListKeys): void {
  const latest = useRef(keys);
  latest.current = keys;
  useLayoutEffect(() => {
    const mine: ListKeys = {
      move: (step) => latest.current.move(step),
      focused: () => latest.current.focused(),
      select: () => latest.current.select(),
    };
    list = mine;
    return () => {
      if (list === mine) list = undefined;
    };
  }, []);
}

const pages: Readonly<Record<string, string>> = {
  s: '',
  d: 'decisions',
  p: 'approvals',
  h: 'history',
  r: 'rules',
  q: 'quota',
  b: 'batches',
  a: 'audit',
};

/** Listens to the keyboard. Returns a function that stops this. */
export function listenToKeys(): () => void {
  let afterG = 0;
  const filter = () => document.getElementById('filter');
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isDialogOpen()) return;
    const { activeElement } = document;
    if (event.key === 'Escape') {
      const open = document.querySelector<HTMLDetailsElement>('details.popover[open]');
      if (open) open.open = false;
      else if (activeElement && activeElement === filter()) filter()?.blur();
      return;
    }
    if (activeElement?.matches('input:not([type="checkbox"]), textarea, select')) return;
    const inRow = activeElement?.closest('.row') !== null;
    const page = pages[event.key];
    const arn = list?.focused() ?? (route.peek().page === 'stream' ? route.peek().arg : undefined);
    if (page !== undefined && Date.now() - afterG < 1200) {
      go(href(page));
      afterG = 0;
    } else if (event.key === 'g') afterG = Date.now();
    else if (event.key === '/' && filter()) filter()?.focus();
    else if (list && (event.key === 'j' || (event.key === 'ArrowDown' && inRow))) list.move(1);
    else if (list && (event.key === 'k' || (event.key === 'ArrowUp' && inRow))) list.move(-1);
    else if (event.key === 'h' && mayOperate() && arn) askHold(arn);
    else if (list && event.key === 'x' && list.focused() !== undefined) list.select();
    else if (event.key === 'P' && mayOperate() && !isPaused.peek()) askPause();
    else if (event.key === '?') showKeys();
    else return;
    event.preventDefault();
  };
  document.addEventListener('keydown', onKey);
  return () => document.removeEventListener('keydown', onKey);
}
