// Where a grid takes its photos from: a listing that is read page by page, or the matches of a search.

import { query, read, send } from "./api.js";

export const BLOCK = 100;
const MOST_MATCHES = 5000;
const FIRST_MATCHES = 300;

/** All photos that meet some conditions, in an order. Pages are read when they are needed. */
export class Listing {
  #blocks = new Map();
  #reading = new Map();
  total = 0;

  constructor(filters, sort) {
    this.conditions = { ...filters, sort };
  }

  /** Read how many there are, and the first of them. */
  async open() {
    await this.load(0);
    return this;
  }

  /** Return a block of photos that is here already, or null. */
  peek(block) {
    return this.#blocks.get(block) ?? null;
  }

  /** Read a block. */
  load(block) {
    if (!this.#reading.has(block)) {
      const text = query({ ...this.conditions, offset: block * BLOCK, limit: BLOCK });
      const reading = read(`/api/images?${text}`).then((page) => {
        this.total = page.total;
        this.#blocks.set(block, page.images.map((image) => ({ image })));
      });
      reading.catch(() => this.#reading.delete(block));
      this.#reading.set(block, reading);
    }
    return this.#reading.get(block);
  }

  /** Return one photo, wherever it is. */
  async at(place) {
    if (place < 0 || place >= this.total) return null;
    const block = Math.floor(place / BLOCK);
    if (!this.peek(block)) await this.load(block);
    return this.peek(block)?.[place % BLOCK] ?? null;
  }

  /** A listing has its end. */
  async grow() {
    return false;
  }
}

/** What a search found, best first. More is asked for when the end comes into sight. */
export class Found {
  #k = FIRST_MATCHES;
  #growing = false;
  entries = [];
  seconds = 0;

  constructor(body) {
    this.body = body;
  }

  get total() {
    return this.entries.length;
  }

  /** Whether there may be more than what is here. */
  get hasMore() {
    return this.entries.length >= this.#k && this.#k < MOST_MATCHES;
  }

  /** Ask for the first of them. */
  async open(signal) {
    const result = await send("/api/search", { ...this.body, k: this.#k }, { signal });
    this.entries = result.matches;
    this.seconds = result.seconds;
    return this;
  }

  peek(block) {
    const part = this.entries.slice(block * BLOCK, (block + 1) * BLOCK);
    return part.length ? part : null;
  }

  async load() {}

  async at(place) {
    return this.entries[place] ?? null;
  }

  /** Ask for more; returns whether there are. */
  async grow() {
    if (this.#growing || !this.hasMore) return false;
    this.#growing = true;
    try {
      const before = this.total;
      this.#k = Math.min(MOST_MATCHES, this.#k * 4);
      await this.open();
      return this.total > before;
    } finally {
      this.#growing = false;
    }
  }
}

/** A few photos that are at hand. */
export class Few {
  constructor(entries) {
    this.entries = entries;
    this.total = entries.length;
  }

  async at(place) {
    return this.entries[place] ?? null;
  }
}
