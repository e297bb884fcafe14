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
  #frame = 0;
  #onScroll = () => {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.draw();
    });
  };

  /**
   * @param {{element: HTMLElement, rowHeight: () => number, row: (item: any, index: number) => HTMLElement}} options
   *   `row` gives an element with a `data-key`
   */
  constructor({ element, rowHeight, row }) {
    this.#height = rowHeight;
    this.#row = row;
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
    render(
      this.#rows,
      this.#items.slice(from, last).map((item, offset) => this.#row(item, from + offset)),
    );
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
