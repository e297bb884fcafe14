// A list of thousands of rows of one height, of which only those near the window are in the document. Scrolls with the page. Rows that
// leave on one side come back on the other: scrolling moves and refills elements, and makes none.

const extraRows = 6;

export class VirtualList {
  #element;
  #height;
  #make;
  #items = [];
  /** What is in the document, by item, and by the order of the items. */
  #shown = new Map();
  #spare = [];
  #top = 0;
  #bottomOfHeader = 0;
  #lastHeight = 0;
  #frame = 0;
  #tidying = 0;
  #onScroll = () => {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  };
  #onResize = () => {
    this.#measure();
    this.#onScroll();
  };

  /**
   * @param {{element: HTMLElement, rowHeight: () => number, make: () => {element: HTMLElement, fill(item: any, index: number): void}}} options
   *   `make` gives a row that can be filled again and again
   */
  constructor({ element, rowHeight, make }) {
    this.#element = element;
    this.#height = rowHeight;
    this.#make = make;
    addEventListener('scroll', this.#onScroll, { passive: true });
    addEventListener('resize', this.#onResize, { passive: true });
  }

  get items() {
    return this.#items;
  }

  /** Shows these items, each brought up to date. */
  show(items) {
    this.#items = items;
    const height = this.#height();
    const size = `${items.length * height}px`;
    if (this.#element.style.height !== size) this.#element.style.height = size;
    this.#measure();
    this.#draw(true);
  }

  /** Brings what is shown up to date: ages and countdowns. */
  refresh() {
    this.#measure();
    this.#draw(true);
  }

  /** Where the list begins in the page. Read here, not while scrolling, where it would cost a layout of the whole page. */
  #measure() {
    this.#top = this.#element.getBoundingClientRect().top + scrollY;
    this.#bottomOfHeader = document.querySelector('.top')?.getBoundingClientRect().bottom ?? 0;
  }

  #draw(all = false) {
    const height = this.#height();
    if (height !== this.#lastHeight) {
      this.#lastHeight = height;
      this.#element.style.height = `${this.#items.length * height}px`;
      all = true;
      for (const entry of this.#shown.values()) entry.index = -1;
    }
    const above = scrollY - this.#top;
    const first = Math.max(0, Math.floor(above / height) - extraRows);
    const end = Math.min(this.#items.length, Math.ceil((above + innerHeight) / height) + extraRows);
    const from = Math.min(first, Math.max(0, end - 1));
    const wanted = new Map();
    for (let index = from; index < end; index += 1) wanted.set(this.#items[index], index);
    this.#keepFocused(wanted);
    for (const [item, entry] of this.#shown) {
      if (wanted.has(item)) continue;
      this.#shown.delete(item);
      this.#spare.push(entry);
    }
    for (const [item, index] of wanted) {
      let entry = this.#shown.get(item);
      const isNew = entry === undefined;
      if (isNew) {
        entry = this.#spare.pop() ?? { row: this.#make(), index: -1 };
        this.#shown.set(item, entry);
      }
      const { row } = entry;
      if (isNew || all || entry.index !== index) row.fill(item, index);
      if (isNew || entry.index !== index) {
        entry.index = index;
        row.element.style.transform = `translateY(${index * height}px)`;
      }
      if (!row.element.isConnected) this.#element.append(row.element);
    }
    clearTimeout(this.#tidying);
    if (all) this.#tidy();
    else this.#tidying = setTimeout(() => this.#tidy(), 150);
  }

  /**
   * Makes the order in the document the order of the list, for the tab key and for those who listen to the page. Not in every frame
   * of scrolling: what is moved in the document is laid out anew. What has the focus is never moved: it would lose it.
   */
  #tidy() {
    for (const { row } of this.#spare) row.element.remove();
    let before;
    for (const { row } of [...this.#shown.values()].sort((a, b) => a.index - b.index)) {
      const { element } = row;
      if ((before ? before.nextSibling : this.#element.firstChild) !== element) {
        if (element.contains(document.activeElement)) {
          while (element.previousSibling && element.previousSibling !== before)
            this.#element.append(element.previousSibling);
        } else this.#element.insertBefore(element, before ? before.nextSibling : this.#element.firstChild);
      }
      before = element;
    }
  }

  /** The row that has the focus stays, also out of sight: its element must not become another stream under somebody's finger. */
  #keepFocused(wanted) {
    const focused = document.activeElement;
    if (!focused || !this.#element.contains(focused)) return;
    for (const [item, entry] of this.#shown) {
      if (!entry.row.element.contains(focused) || wanted.has(item)) continue;
      const index = this.#items.indexOf(item);
      if (index >= 0) wanted.set(item, index);
    }
  }

  /** Brings a row into view; gives whether it exists. */
  reveal(index) {
    if (index < 0 || index >= this.#items.length) return false;
    const height = this.#height();
    const top = this.#top + index * height - scrollY;
    if (top < this.#bottomOfHeader + height) scrollBy(0, top - this.#bottomOfHeader - height);
    else if (top + height > innerHeight) scrollBy(0, top + height - innerHeight + 8);
    this.#draw();
    this.#tidy();
    return true;
  }

  destroy() {
    removeEventListener('scroll', this.#onScroll);
    removeEventListener('resize', this.#onResize);
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#tidying);
  }
}
