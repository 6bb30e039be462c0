// Drawing the map: in each part of the window the photo that stands for it, and a dot for every other.

import { thumbnail } from "./api.js";

const CELL = 64; // pixels of the screen, at least, for a photo; more when one is near
const MOST_TIMES = 3;
const ROOM = 9000; // pixels of the window for each photo, from which on they are shown larger
const MOST_KEPT = 1200;
const AT_ONCE = 5;

/** Draws points and their photos on a canvas. */
export class Atlas {
  #pictures = new Map();
  #wanted = [];
  #loading = 0;

  constructor(canvas, camera, redraw) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
    this.camera = camera;
    this.redraw = redraw;
    this.ids = [];
    this.shownPlaces = [];
    this.chosen = -1;
  }

  /** Take the points; the order in which photos stand for others is the same at every zoom. */
  take({ ids, x, y }) {
    this.ids = ids;
    this.x = Float32Array.from(x);
    this.y = Float32Array.from(y);
    // A whole number from the id that looks like chance, and is always the same.
    this.rank = Uint32Array.from(ids, (id) => Math.imul(Number(id % 4294967296) ^ 0x9e3779b9, 0x85ebca6b) >>> 0);
  }

  /** Draw what is in the window. */
  draw() {
    const { pen, camera, canvas } = this, ratio = devicePixelRatio || 1;
    const { width, height } = camera, style = getComputedStyle(canvas);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    // Few photos are shown larger than many, and all of them larger from near.
    const room = Math.sqrt((width * height) / (this.ids.length * ROOM));
    const cell = CELL * Math.min(MOST_TIMES, Math.max(1, room) * Math.max(1, camera.zoom ** 0.3)), across = camera.stretch;
    const level = 2 ** Math.floor(Math.log2(camera.scale / cell));
    const cellPx = camera.scale / level;
    const size = Math.min(210, cellPx * 0.84);
    const [left, top] = camera.toMap(-size / 2, -size / 2), [right, bottom] = camera.toMap(width + size / 2, height + size / 2);
    const firstColumn = Math.floor(left * across * level), columns = Math.floor(right * across * level) - firstColumn + 1;
    const firstRow = Math.floor(top * level), rows = Math.floor(bottom * level) - firstRow + 1;
    const standing = new Int32Array(Math.max(1, columns * rows)).fill(-1), seen = [];
    for (let i = 0; i < this.ids.length; i++) {
      const x = this.x[i], y = this.y[i];
      if (x < left || x > right || y < top || y > bottom) continue;
      seen.push(i);
      const number = (Math.floor(y * level) - firstRow) * columns + Math.floor(x * across * level) - firstColumn;
      const other = standing[number];
      if (other < 0 || this.rank[i] < this.rank[other]) standing[number] = i;
    }
    pen.fillStyle = style.getPropertyValue("--dot").trim() || "#888";
    const dot = seen.length > 20000 ? 1.4 : 2.6;
    for (const i of seen) {
      const [x, y] = camera.toScreen(this.x[i], this.y[i]);
      pen.fillRect(x - dot / 2, y - dot / 2, dot, dot);
    }
    this.shownPlaces = [];
    this.#wanted = [];
    const ground = style.getPropertyValue("--picture").trim(), edge = style.getPropertyValue("--ground").trim(), accent = style.getPropertyValue("--accent").trim();
    const px = size * ratio > 140 ? 256 : 128;
    for (const i of [...standing].filter((one) => one >= 0).sort((one, other) => this.y[one] - this.y[other])) {
      const [x, y] = camera.toScreen(this.x[i], this.y[i]);
      const picture = this.#picture(this.ids[i], px);
      const shape = picture ? picture.naturalWidth / picture.naturalHeight : 1;
      const wide = shape > 1 ? size : size * shape, tall = shape > 1 ? size / shape : size;
      const place = { i, x: x - wide / 2, y: y - tall / 2, width: wide, height: tall };
      this.shownPlaces.push(place);
      pen.save();
      pen.beginPath();
      pen.roundRect(place.x, place.y, wide, tall, 5);
      pen.fillStyle = ground;
      pen.fill();
      pen.clip();
      if (picture) pen.drawImage(picture, place.x, place.y, wide, tall);
      pen.restore();
      pen.beginPath();
      pen.roundRect(place.x, place.y, wide, tall, 5);
      pen.lineWidth = i === this.chosen ? 4 : 1.5;
      pen.strokeStyle = i === this.chosen ? accent : edge;
      pen.stroke();
    }
    this.seen = seen;
    this.#load();
  }

  /** Return the point under a place of the screen, or -1. */
  at(left, top) {
    for (const place of this.shownPlaces.toReversed()) {
      if (left >= place.x && left <= place.x + place.width && top >= place.y && top <= place.y + place.height) return place.i;
    }
    return this.nearest(left, top, 12);
  }

  /** Return the point in the window that is nearest to a place of the screen, if it is near enough. */
  nearest(left, top, most = Infinity) {
    let found = -1, least = most;
    for (const i of this.seen ?? []) {
      const [x, y] = this.camera.toScreen(this.x[i], this.y[i]), apart = Math.hypot(x - left, y - top);
      if (apart < least) {
        found = i;
        least = apart;
      }
    }
    return found;
  }

  #picture(id, px) {
    const key = `${id}/${px}`, kept = this.#pictures.get(key);
    if (kept) {
      this.#pictures.delete(key);
      this.#pictures.set(key, kept);
      if (kept.naturalWidth) return kept;
    } else this.#wanted.push([key, id, px]);
    return this.#pictures.get(`${id}/${px === 128 ? 256 : 128}`)?.naturalWidth ? this.#pictures.get(`${id}/${px === 128 ? 256 : 128}`) : null;
  }

  /** Load what is in the window now, the middle first; what has left it is not waited for. */
  #load() {
    while (this.#loading < AT_ONCE && this.#wanted.length) {
      const [key, id, px] = this.#wanted.shift(), picture = new Image();
      this.#loading += 1;
      const ended = () => {
        this.#loading -= 1;
        this.redraw();
      };
      picture.addEventListener("load", ended);
      picture.addEventListener("error", ended);
      picture.src = thumbnail(id, px);
      this.#pictures.set(key, picture);
      if (this.#pictures.size > MOST_KEPT) this.#pictures.delete(this.#pictures.keys().next().value);
    }
  }
}
