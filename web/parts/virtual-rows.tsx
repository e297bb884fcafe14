// A list of thousands of rows of one height that scrolls with the page; only those near the window are in the document
// (@tanstack/virtual-core). Rows that leave on one side are reused on the other: scrolling moves and refills elements, and creates none.
import { observeWindowOffset, observeWindowRect, type Range, Virtualizer, windowScroll } from '@tanstack/virtual-core';
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useReducer, useRef } from 'preact/hooks';

const extraRows = 6;

export interface VirtualRowsHandle {
  /** Scrolls a row into view. Its element is in the document when `then` is called: at once, or after the next drawing. */
  reveal(index: number, then: () => void): void;
}

export interface VirtualRowsProps<T> {
  readonly items: readonly T[];
  readonly rowHeight: number;
  /** The height of what sticks to the top of the window and covers rows, px. */
  readonly coveredTop: () => number;
  readonly row: (item: T, index: number, top: number) => ComponentChildren;
  readonly handle: { current: VirtualRowsHandle | null };
  readonly onPointerLeave: () => void;
}

export function VirtualRows<T>({
  items,
  rowHeight,
  coveredTop,
  row,
  handle,
  onPointerLeave,
}: VirtualRowsProps<T>): JSX.Element {
  const element = useRef<HTMLDivElement>(null);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const slots = useRef(new Slots<T>());
  const list = useRef<Virtualizer<Window, HTMLElement> | null>(null);
  /** Where the list begins in the page. Not read during scrolling, when it would cost a layout of the whole page. */
  const top = useRef(0);
  /** Called after the next drawing. */
  const afterwards = useRef<(() => void) | undefined>(undefined);
  list.current ??= new Virtualizer<Window, HTMLElement>(optionsOf([]));
  const virtual = list.current;

  function optionsOf(shown: readonly T[]) {
    return {
      count: shown.length,
      getScrollElement: () => window,
      estimateSize: () => rowHeight,
      observeElementRect: observeWindowRect,
      observeElementOffset: observeWindowOffset,
      scrollToFn: windowScroll,
      initialOffset: () => scrollY,
      initialRect: { width: innerWidth, height: innerHeight },
      overscan: extraRows,
      scrollMargin: top.current,
      rangeExtractor: (range: Range) =>
        withFocused(range, shown.indexOf(slots.current.itemAt(focusedChild(element.current)) as T)),
      onChange: redraw,
    };
  }
  useEffect(() => virtual._didMount(), [virtual]);
  useLayoutEffect(() => {
    virtual._willUpdate();
    if (virtual.isScrolling) return;
    const before = top.current;
    top.current = topOf(element.current);
    if (before !== top.current) redraw(undefined);
  });
  virtual.setOptions(optionsOf(items));
  const measured = useRef(rowHeight);
  if (measured.current !== rowHeight) {
    measured.current = rowHeight;
    virtual.measure();
  }

  const indexes = virtual.getVirtualIndexes();
  const before = useRef(items);
  const inOrder = !virtual.isScrolling || before.current !== items;
  before.current = items;
  // An element that is moved in the document loses the focus: it gets it back.
  const focused = element.current?.contains(document.activeElement)
    ? (document.activeElement as HTMLElement)
    : undefined;
  useLayoutEffect(() => {
    if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
    const { current: then } = afterwards;
    afterwards.current = undefined;
    then?.();
  });
  handle.current = {
    reveal(index, then) {
      const place = topOf(element.current) + index * rowHeight - scrollY;
      const covered = coveredTop();
      if (place < covered + rowHeight) scrollBy(0, place - covered - rowHeight);
      else if (place + rowHeight > innerHeight) scrollBy(0, place + rowHeight - innerHeight + 8);
      if (indexes.includes(index)) {
        then();
        return;
      }
      afterwards.current = then;
      // The list learns of the scroll only in the next frame.
      requestAnimationFrame(() => redraw(undefined));
    },
  };
  return (
    <div
      class="rows"
      role="rowgroup"
      ref={element}
      style={{ height: `${items.length * rowHeight}px` }}
      onPointerLeave={onPointerLeave}
    >
      {slots.current.fill(items, indexes, { inOrder }).map(({ id, index }) => (
        <Slot key={id}>{row(items[index]!, index, index * rowHeight)}</Slot>
      ))}
    </div>
  );
}

function Slot({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <>{children}</>;
}

function topOf(element: HTMLElement | null): number {
  return element ? element.getBoundingClientRect().top + scrollY : 0;
}

/** Which of the elements has the focus, or -1. */
function focusedChild(element: HTMLElement | null): number {
  const { activeElement } = document;
  if (!element || !activeElement || !element.contains(activeElement)) return -1;
  return Array.from(element.children).findIndex((child) => child.contains(activeElement));
}

function withFocused({ startIndex, endIndex, overscan, count }: Range, focused: number): number[] {
  const from = Math.max(0, startIndex - overscan);
  const to = Math.min(count - 1, endIndex + overscan);
  const indexes = Array.from({ length: Math.max(0, to - from + 1) }, (_, step) => from + step);
  if (focused < 0 || focused >= count || (focused >= from && focused <= to)) return indexes;
  return focused < from ? [focused, ...indexes] : [...indexes, focused];
}

interface Place<T> {
  readonly id: number;
  item: T;
  index: number;
}

/**
 * Which element shows which item. An item keeps its element while it is visible, so that a click or the focus never lands on another
 * one. While the list scrolls, elements stay where they are in the document; at rest their order is that of the list, for the tab
 * key and for screen readers.
 */
class Slots<T> {
  #slots: Place<T>[] = [];
  #lastId = 0;

  /** The item of the element at this position in the document. */
  itemAt(place: number): T | undefined {
    return this.#slots[place]?.item;
  }

  fill(
    items: readonly T[],
    indexes: readonly number[],
    { inOrder }: { readonly inOrder: boolean },
  ): readonly Place<T>[] {
    const wanted = new Map(indexes.map((index) => [items[index] as T, index]));
    const free: Place<T>[] = [];
    for (const slot of this.#slots) {
      const index = wanted.get(slot.item);
      if (index === undefined) free.push(slot);
      else {
        slot.index = index;
        wanted.delete(slot.item);
      }
    }
    for (const [item, index] of wanted) {
      const slot = free.pop();
      if (slot) {
        slot.item = item;
        slot.index = index;
      } else this.#slots.push({ id: ++this.#lastId, item, index });
    }
    if (free.length > 0) this.#slots = this.#slots.filter((slot) => !free.includes(slot));
    if (inOrder) this.#slots.sort((a, b) => a.index - b.index);
    return this.#slots;
  }
}
