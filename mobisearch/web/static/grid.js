// Thousands of photos in rows, of which only those near the window are in the page.

import { isStill, make } from "./dom.js";
import { layOut, shape } from "./rows.js";
import { BLOCK } from "./sources.js";
import { makeTile, move } from "./tiles.js";

const BEYOND = 1.2; // windows above and below for which tiles are there
const USUAL_SHAPE = 1.35;

/** Rows of photos from a source, with the keyboard's place among them. */
export class Grid {
  #source = null;
  #blocks = [];
  #tiles = new Map();
  #failed = new Set();
  #width = 0;
  #isWaiting = false;
  #wanted = null;
  #ending = new AbortController();
  current = 0;

  /** `handlers`: `href(image)`, `asking` (see tiles), `failed(error)`, `grown()`. */
  constructor(handlers) {
    this.handlers = handlers;
    this.element = make("div", { class: "grid", role: "list", "aria-label": "Photos", keydown: (event) => this.#press(event), focusin: (event) => this.#enter(event) });
    const { signal } = this.#ending;
    addEventListener("scroll", () => this.#soon(), { passive: true, signal });
    for (const kind of ["wheel", "touchmove", "keydown"]) addEventListener(kind, () => { this.#wanted = null; }, { passive: true, signal });
    this.watching = new ResizeObserver(() => {
      if (Math.abs(this.element.clientWidth - this.#width) > 0.5) this.#measure();
    });
    this.watching.observe(this.element);
  }

  /** Let go of everything. */
  end() {
    this.#ending.abort();
    this.watching.disconnect();
  }

  /** The photos that are shown; null before there are any. */
  get source() {
    return this.#source;
  }

  /** Show nothing. */
  clear() {
    for (const tile of this.#tiles.values()) tile.remove();
    this.#tiles.clear();
    this.#blocks = [];
    this.#source = null;
    this.element.style.height = "0";
  }

  /** Show the photos of a source. */
  show(source) {
    this.clear();
    this.#source = source;
    this.current = Math.min(this.current, Math.max(0, source.total - 1));
    this.#failed.clear();
    this.#measure();
  }

  get #height() {
    return this.#width < 560 ? Math.max(92, this.#width / 3.6) : this.#width < 1100 ? 172 : 208;
  }

  get #gap() {
    return this.#width < 560 ? 4 : 8;
  }

  /** Lay everything out for the width that there is; what was at the top of the window stays there. */
  #measure() {
    if (!this.#source) return;
    const held = this.#blocks.length ? this.anchor() : null;
    this.#width = this.element.clientWidth;
    if (!this.#width) return;
    const count = Math.ceil(this.#source.total / BLOCK);
    this.#blocks = Array.from({ length: count }, (_, block) => this.#laidOut(block));
    this.#stack();
    if (held) this.restore(held);
    this.#draw();
  }

  #laidOut(block) {
    const photos = this.#source.peek(block);
    const isLast = (block + 1) * BLOCK >= this.#source.total && !this.#source.hasMore;
    if (photos) return { photos, ...layOut(photos.map((entry) => shape(entry.image)), this.#width, this.#height, this.#gap, { isLast }) };
    const count = Math.min(BLOCK, this.#source.total - block * BLOCK);
    const rows = Math.ceil((count * USUAL_SHAPE * this.#height) / this.#width);
    return { photos: null, places: [], rows: [], height: rows * (this.#height + this.#gap) - this.#gap };
  }

  /** Say where each block begins, and how tall all are together. */
  #stack() {
    let top = 0;
    for (const block of this.#blocks) {
      block.top = top;
      top += block.height + this.#gap;
    }
    this.element.style.height = `${Math.max(0, top - this.#gap)}px`;
  }

  get #offset() {
    return this.element.getBoundingClientRect().top + scrollY;
  }

  #soon() {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    requestAnimationFrame(() => {
      this.#isWaiting = false;
      if (this.element.isConnected) this.#draw();
    });
  }

  /** Put those tiles into the page that are near the window, and take the others out. */
  #draw() {
    if (!this.#source) return;
    const from = scrollY - this.#offset - innerHeight * BEYOND, to = from + innerHeight * (1 + 2 * BEYOND);
    const needed = new Set();
    this.#blocks.forEach((block, b) => {
      if (block.top + block.height < from || block.top > to) return;
      if (!block.photos) this.#load(b);
      for (const row of block.rows) {
        if (block.top + row.y + row.height < from || block.top + row.y > to) continue;
        for (let i = row.first; i <= row.last; i++) needed.add(b * BLOCK + i);
      }
    });
    if (this.#blocks[Math.floor(this.current / BLOCK)]?.photos) needed.add(this.current);
    for (const [place, tile] of this.#tiles) {
      if (!needed.has(place)) {
        tile.remove();
        this.#tiles.delete(place);
      }
    }
    let before = this.element.firstElementChild;
    for (const place of [...needed].sort((one, other) => one - other)) {
      let tile = this.#tiles.get(place);
      if (tile) move(tile, this.#placeOf(place));
      else {
        tile = this.#make(place);
        this.#tiles.set(place, tile);
      }
      if (tile === before) before = before.nextElementSibling;
      else this.element.insertBefore(tile, before);
    }
    this.#mark();
    if (to >= this.element.clientHeight) this.#grow();
  }

  #make(place) {
    const block = this.#blocks[Math.floor(place / BLOCK)];
    const { href, asking } = this.handlers;
    return makeTile({ entry: block.photos[place % BLOCK], number: place, total: this.#source.total, place: this.#placeOf(place), href, asking });
  }

  #placeOf(place) {
    const block = this.#blocks[Math.floor(place / BLOCK)], { x, y, width, height } = block.places[place % BLOCK];
    return { x, y: y + block.top, width, height };
  }

  async #load(b) {
    if (this.#failed.has(b)) return;
    const source = this.#source;
    try {
      await source.load(b);
    } catch (error) {
      this.#failed.add(b);
      this.handlers.failed?.(error);
      return;
    }
    if (source !== this.#source || this.#blocks[b]?.photos) return;
    const held = this.#wanted ?? this.anchor();
    this.#blocks[b] = this.#laidOut(b);
    this.#stack();
    this.restore(held);
    this.#draw();
  }

  async #grow() {
    const source = this.#source;
    try {
      if (!(await source.grow()) || source !== this.#source) return;
    } catch (error) {
      this.handlers.failed?.(error);
      return;
    }
    this.#measure();
    this.handlers.grown?.();
  }

  /** Return which photo is at the top of the window, and how far below it. */
  anchor() {
    const top = scrollY - this.#offset;
    if (top <= 0) return { place: -1, y: scrollY };
    const b = Math.max(0, this.#blocks.findLastIndex((block) => block.top <= top)), block = this.#blocks[b];
    if (!block?.photos) return { place: b * BLOCK, y: top - (block?.top ?? 0) };
    const row = block.rows.findLast((one) => block.top + one.y <= top) ?? block.rows[0];
    return { place: b * BLOCK + row.first, y: top - block.top - row.y };
  }

  /** Scroll to where `anchor` was taken. */
  restore({ place, y }) {
    this.#wanted = null;
    if (place < 0) {
      if (scrollY !== y) scrollTo(0, y);
      return;
    }
    const block = this.#blocks[Math.floor(place / BLOCK)];
    if (!block) return;
    if (!block.photos) this.#wanted = { place, y }; // once it is here, its place is known exactly
    const top = block.photos ? (block.places[place % BLOCK]?.y ?? 0) : (block.height * (place % BLOCK)) / BLOCK;
    const wanted = this.#offset + block.top + top + y;
    if (Math.abs(wanted - scrollY) > 1) scrollTo(0, wanted);
  }

  // ---- the keyboard's place

  #mark() {
    for (const [place, tile] of this.#tiles) {
      const isCurrent = place === this.current;
      for (const one of tile.querySelectorAll("a, button")) one.tabIndex = isCurrent ? 0 : -1;
    }
  }

  #enter(event) {
    const tile = event.target.closest(".tile");
    if (!tile) return;
    this.current = Number(tile.dataset.place);
    this.#mark();
  }

  /** Move the focus to a photo, and scroll so far that it can be seen, unless told not to. */
  async focus(place, { staysThere = false } = {}) {
    if (!this.#source?.total) return;
    this.current = Math.max(0, Math.min(this.#source.total - 1, place));
    const b = Math.floor(this.current / BLOCK);
    if (!this.#blocks[b].photos) {
      scrollTo(0, this.#offset + this.#blocks[b].top);
      await this.#load(b);
      if (!this.#blocks[b]?.photos) return;
    }
    if (!staysThere) this.#reveal(this.#placeOf(this.current));
    this.#draw();
    this.#tiles.get(this.current)?.querySelector("a").focus({ preventScroll: true });
  }

  #reveal({ y, height }) {
    const above = document.querySelector(".bar").offsetHeight + 12, top = this.#offset + y;
    const behavior = isStill() ? "instant" : "auto";
    if (top < scrollY + above) scrollTo({ top: top - above, behavior });
    else if (top + height > scrollY + innerHeight - 90) scrollTo({ top: top + height - innerHeight + 90, behavior });
  }

  /** Return the photo in the row above or below whose middle is nearest. */
  #beside(by) {
    const b = Math.floor(this.current / BLOCK), block = this.#blocks[b], place = block.places[this.current % BLOCK];
    let target = block, number = b, row = block.rows[place.row + by];
    if (!row) {
      number += by;
      target = this.#blocks[number];
      if (!target) return this.current;
      if (!target.photos) return by > 0 ? number * BLOCK : number * BLOCK + BLOCK - 1;
      row = by > 0 ? target.rows[0] : target.rows.at(-1);
    }
    const middle = place.x + place.width / 2;
    let nearest = row.first;
    for (let i = row.first; i <= row.last; i++) {
      const apart = (one) => Math.abs(target.places[one].x + target.places[one].width / 2 - middle);
      if (apart(i) < apart(nearest)) nearest = i;
    }
    return number * BLOCK + nearest;
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const entry = this.#source?.peek(Math.floor(this.current / BLOCK))?.[this.current % BLOCK];
    const steps = {
      ArrowRight: () => this.focus(this.current + 1), ArrowLeft: () => this.focus(this.current - 1),
      ArrowDown: () => this.focus(this.#beside(1)), ArrowUp: () => this.focus(this.#beside(-1)),
      Home: () => this.focus(0), End: () => this.focus(this.#source.total - 1),
    };
    const asked = this.handlers.asking?.find(({ key }) => key === event.key);
    const act = Object.hasOwn(steps, event.key) ? steps[event.key] : asked && entry ? () => asked.act(entry.image) : null;
    if (!act) return;
    event.preventDefault();
    act();
  }
}
