// A list of thousands of rows of one height, of which only those near the window are in the document. Scrolls with the page.
import { h, render } from './dom.js';

const extraRows = 8;

export class VirtualList {
  #before = h('div', { role: 'presentation' });
  #rows;
  #after = h('div', { role: 'presentation' });
  #height;
  #items = [];
  #row;
  #stamp;
  /** What is in the document, by item: drawn again only when its place, its stamp or the second has changed. */
  #drawn = new Map();
  #frame = 0;
  #onScroll = () => {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.draw();
    });
  };

  /**
   * @param {{element: HTMLElement, rowHeight: () => number, row: (item: any, index: number) => HTMLElement, stamp: (item: any) => unknown}} options
   *   `row` gives an element with a `data-key`; `stamp` something that is another one when the row must be drawn again
   */
  constructor({ element, rowHeight, row, stamp }) {
    this.#height = rowHeight;
    this.#row = row;
    this.#stamp = stamp;
    this.#rows = element;
    element.before(this.#before);
    element.after(this.#after);
    addEventListener('scroll', this.#onScroll, { passive: true });
    addEventListener('resize', this.#onScroll, { passive: true });
  }

  get items() {
    return this.#items;
  }

  show(items) {
    this.#items = items;
    this.draw();
  }

  draw() {
    const height = this.#height();
    const top = this.#before.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / height) - extraRows);
    const last = Math.min(this.#items.length, Math.ceil((innerHeight - top) / height) + extraRows);
    const from = Math.min(first, Math.max(0, last - 1));
    this.#before.style.height = `${from * height}px`;
    this.#after.style.height = `${Math.max(0, this.#items.length - last) * height}px`;
    const second = Math.floor(Date.now() / 1000);
    const drawn = new Map();
    const rows = this.#items.slice(from, last).map((item, offset) => {
      const index = from + offset;
      const stamp = this.#stamp(item);
      const before = this.#drawn.get(item);
      const fresh = before && before.index === index && before.stamp === stamp && before.second === second;
      const element = fresh ? before.element : this.#row(item, index);
      // A row that is drawn again keeps its element: `render` brings the old one up to date.
      drawn.set(item, { index, stamp, second, element: before?.element ?? element });
      return element;
    });
    this.#drawn = drawn;
    render(this.#rows, rows);
  }

  /** Brings a row into view; gives whether it exists. */
  reveal(index) {
    if (index < 0 || index >= this.#items.length) return false;
    const height = this.#height();
    const top = this.#before.getBoundingClientRect().top + index * height;
    const header = document.querySelector('.top')?.getBoundingClientRect().bottom ?? 0;
    if (top < header + height) scrollBy(0, top - header - height);
    else if (top + height > innerHeight) scrollBy(0, top + height - innerHeight + 8);
    this.draw();
    return true;
  }

  destroy() {
    removeEventListener('scroll', this.#onScroll);
    removeEventListener('resize', this.#onScroll);
    cancelAnimationFrame(this.#frame);
  }
}
