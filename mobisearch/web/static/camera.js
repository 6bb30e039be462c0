// Where one looks at the map from: the middle of the window in the map's own measures, and how near.

const NEAREST = 2 ** 11;

/** Looks at the square from 0 to 1. */
export class Camera {
  constructor() {
    this.x = 0.5;
    this.y = 0.5;
    this.zoom = 1;
    this.width = this.height = 1;
  }

  /** How many pixels of the screen the whole map is wide. */
  get scale() {
    return this.zoom * 0.88 * Math.min(this.width / this.stretch, this.height);
  }

  /** How much wider than tall the map is drawn, to fill the window. */
  get stretch() {
    return Math.min(1.7, Math.max(0.75, this.width / this.height));
  }

  toScreen(x, y) {
    return [(x - this.x) * this.scale * this.stretch + this.width / 2, (y - this.y) * this.scale + this.height / 2];
  }

  toMap(left, top) {
    return [(left - this.width / 2) / this.scale / this.stretch + this.x, (top - this.height / 2) / this.scale + this.y];
  }

  /** Move by pixels. */
  pan(left, top) {
    this.x = Math.min(1, Math.max(0, this.x - left / this.scale / this.stretch));
    this.y = Math.min(1, Math.max(0, this.y - top / this.scale));
  }

  /** Come nearer, so that what is under a place of the screen stays there. */
  zoomAt(left, top, times) {
    const [x, y] = this.toMap(left, top);
    this.zoom = Math.min(NEAREST, Math.max(0.6, this.zoom * times));
    const [newX, newY] = this.toMap(left, top);
    this.x = Math.min(1, Math.max(0, this.x + x - newX));
    this.y = Math.min(1, Math.max(0, this.y + y - newY));
  }

  /** Look at everything. */
  fit() {
    this.x = this.y = 0.5;
    this.zoom = 1;
  }

  write() {
    return [this.x.toFixed(5), this.y.toFixed(5), this.zoom.toFixed(3)].join(",");
  }

  read(text) {
    const [x, y, zoom] = text.split(",").map(Number);
    if (![x, y, zoom].every(Number.isFinite)) return;
    this.x = Math.min(1, Math.max(0, x));
    this.y = Math.min(1, Math.max(0, y));
    this.zoom = Math.min(NEAREST, Math.max(0.6, zoom));
  }
}
