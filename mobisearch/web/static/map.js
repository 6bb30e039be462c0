// The view "map": the whole collection, what looks alike side by side.

import { change, here } from "./address.js";
import { read, send } from "./api.js";
import { Atlas } from "./atlas.js";
import { Camera } from "./camera.js";
import { button, isStill, make, shown } from "./dom.js";
import * as live from "./live.js";
import { failure, say } from "./messages.js";
import { count, percent } from "./wording.js";

const POLL_MS = 700;
const REST_MS = 500;
const STEP_PX = 90;

/** A canvas that can be moved and looked at closely; a click opens the photo. */
export class MapView {
  #ending = new AbortController();
  #timer = 0;
  #resting = 0;
  #pointers = new Map();
  #isWaiting = false;

  constructor(main) {
    this.camera = new Camera();
    this.canvas = make("canvas", { class: "map-canvas", tabindex: "0", role: "application", "aria-label": "Map of the collection. Arrows move, plus and minus zoom, 0 shows everything, Enter opens the photo in the middle." });
    this.atlas = new Atlas(this.canvas, this.camera, () => this.#soon());
    this.note = make("p", { class: "map-note" });
    this.tools = make("div", { class: "map-tools", role: "group", "aria-label": "Zoom" },
      button("Nearer", () => this.#zoom(2), { shape: "plus", isBare: true }),
      button("Farther", () => this.#zoom(0.5), { shape: "minus", isBare: true }),
      button("Everything", () => this.#fit(), { shape: "fit", isBare: true }));
    this.cover = make("div", { class: "map-cover" });
    this.element = make("div", { class: "map" }, make("h1", { class: "unseen", text: "Map" }), this.canvas, this.tools, this.note, this.cover);
    main.replaceChildren(this.element);
    this.#listen();
  }

  end() {
    this.#ending.abort();
    clearTimeout(this.#timer);
    clearTimeout(this.#resting);
    this.watching.disconnect();
  }

  update(values, { isBack }) {
    const at = values.get("at");
    if (at && (isBack || !this.isReady) && at !== this.camera.write()) this.camera.read(at);
    if (this.isReady) this.#soon();
    else if (!this.isBegun) {
      this.isBegun = true;
      this.#look();
    }
  }

  // ---- from nothing to a map

  async #look() {
    const { signal } = this.#ending;
    try {
      const state = await read("/api/map", { signal });
      if (state.state === "ready") await this.#show(state);
      else if (state.state === "computing") this.#wait(state);
      else if (state.state === "failed") this.cover.replaceChildren(failure(new Error(state.error ?? "The map could not be laid out."), () => this.#begin()));
      else this.#offer();
    } catch (error) {
      if (error.name !== "AbortError") this.cover.replaceChildren(failure(error, () => this.#look()));
    }
  }

  #offer() {
    const images = live.status()?.images ?? 0;
    if (images < 2) {
      this.cover.replaceChildren(make("div", { class: "nothing" }, make("h2", { text: "Too few photos for a map" })));
      return;
    }
    this.cover.replaceChildren(make("div", { class: "nothing" }, make("h2", { text: "A map of everything" }),
      make("p", { text: `All ${count(images, "photo")} on one plane: what looks alike lies side by side. Laying it out takes a moment; nothing is changed.` }),
      button("Lay out the map", () => this.#begin(), { name: "primary" })));
  }

  async #begin() {
    try {
      const state = await send("/api/map");
      this.#wait(state ?? { done: 0 });
    } catch (error) {
      this.cover.replaceChildren(failure(error, () => this.#begin()));
    }
  }

  #wait(state) {
    const done = Math.min(1, state.done ?? 0);
    if (!this.progress?.isConnected) {
      this.progress = make("progress", { max: "1", "aria-label": "Laying out the map" });
      this.cover.replaceChildren(make("div", { class: "nothing" }, make("h2", { text: "Laying out the map" }), this.progress, make("p", { class: "map-done" })));
      say("Laying out the map.");
    }
    this.progress.value = done;
    this.cover.querySelector(".map-done").textContent = percent(done);
    this.#timer = setTimeout(() => this.#look(), POLL_MS);
  }

  async #show(state) {
    const points = await read("/api/map/points", { signal: this.#ending.signal });
    this.atlas.take(points);
    this.cover.replaceChildren();
    this.isReady = true;
    this.#size();
    this.note.replaceChildren(make("span", { text: count(points.ids.length, "photo") }),
      ...(state.is_stale ? [button("The index has changed since: lay out again", () => { this.isReady = false; this.#begin(); }, { name: "quiet" })] : []));
    say(`Map of ${count(points.ids.length, "photo")}.`);
  }

  // ---- drawing

  #size() {
    const ratio = devicePixelRatio || 1, { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth) return;
    this.camera.width = clientWidth;
    this.camera.height = clientHeight;
    this.canvas.width = Math.round(clientWidth * ratio);
    this.canvas.height = Math.round(clientHeight * ratio);
    this.#soon();
  }

  #soon() {
    if (this.#isWaiting || !this.isReady) return;
    this.#isWaiting = true;
    requestAnimationFrame(() => {
      this.#isWaiting = false;
      if (!this.canvas.isConnected || !this.isReady) return;
      const isKeyboard = this.canvas.matches(":focus-visible");
      if (isKeyboard) this.atlas.chosen = this.atlas.nearest(this.camera.width / 2, this.camera.height / 2);
      this.atlas.draw();
      this.canvas.dataset.zoom = this.camera.zoom.toFixed(3);
      this.canvas.dataset.shown = String(this.atlas.shownPlaces.length);
    });
  }

  /** Keep in the address where one is, once it rests. */
  #rest() {
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      if (here().view !== "map" || here().values.has("photo")) return;
      change({ at: this.camera.zoom === 1 && this.camera.x === 0.5 && this.camera.y === 0.5 ? null : this.camera.write() }, { replace: true });
      if (this.canvas.matches(":focus-visible") && this.atlas.chosen >= 0) this.#tellMiddle();
    }, REST_MS);
  }

  async #tellMiddle() {
    try {
      const image = await read(`/api/images/${this.atlas.ids[this.atlas.chosen]}`, { signal: this.#ending.signal });
      say(`In the middle: ${shown(image.name)}.`);
    } catch {
      // only said to be helpful
    }
  }

  // ---- moving

  #zoom(times, left = this.camera.width / 2, top = this.camera.height / 2) {
    if (isStill()) {
      this.camera.zoomAt(left, top, times);
      this.#soon();
      this.#rest();
      return;
    }
    const frames = 9;
    let frame = 0;
    const go = () => {
      this.camera.zoomAt(left, top, times ** (1 / frames));
      this.#soon();
      frame += 1;
      if (frame < frames && this.canvas.isConnected) requestAnimationFrame(go);
      else this.#rest();
    };
    go();
  }

  #fit() {
    this.camera.fit();
    this.#soon();
    this.#rest();
  }

  #open(i) {
    if (i >= 0) change({ photo: this.atlas.ids[i], at: this.camera.write() });
  }

  #listen() {
    const { canvas, camera } = this, { signal } = this.#ending;
    this.watching = new ResizeObserver(() => this.#size());
    this.watching.observe(canvas);
    addEventListener("colours", () => this.#soon(), { signal });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#soon(), { signal });
    canvas.addEventListener("blur", () => { this.atlas.chosen = -1; this.#soon(); });
    canvas.addEventListener("focus", () => this.#soon());
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const by = event.deltaY * (event.deltaMode === 1 ? 20 : 1) * (event.ctrlKey ? 4 : 1);
      camera.zoomAt(event.offsetX, event.offsetY, Math.exp(-Math.max(-400, Math.min(400, by)) / 500));
      this.#soon();
      this.#rest();
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.#pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
      if (this.#pointers.size === 1) this.pressed = { x: event.offsetX, y: event.offsetY, isMoved: false };
      else if (this.pressed) this.pressed.isMoved = true;
    });
    canvas.addEventListener("pointermove", (event) => this.#drag(event));
    const lift = (event) => {
      const wasOne = this.#pointers.size === 1 && this.#pointers.has(event.pointerId);
      this.#pointers.delete(event.pointerId);
      if (wasOne && this.pressed && !this.pressed.isMoved && event.type === "pointerup") this.#open(this.atlas.at(event.offsetX, event.offsetY));
      if (!this.#pointers.size) this.#rest();
    };
    canvas.addEventListener("pointerup", lift);
    canvas.addEventListener("pointercancel", lift);
    canvas.addEventListener("keydown", (event) => this.#press(event));
  }

  #drag(event) {
    const { camera } = this, held = this.#pointers.get(event.pointerId), now = { x: event.offsetX, y: event.offsetY };
    if (!held) {
      const i = this.isReady ? this.atlas.at(now.x, now.y) : -1;
      this.canvas.style.cursor = i >= 0 ? "pointer" : "grab";
      if (i !== this.atlas.chosen) {
        this.atlas.chosen = i;
        this.#soon();
      }
      return;
    }
    if (Math.hypot(now.x - this.pressed.x, now.y - this.pressed.y) > 5) this.pressed.isMoved = true;
    if (this.#pointers.size === 1 && this.pressed.isMoved) {
      camera.pan(now.x - held.x, now.y - held.y);
      this.canvas.style.cursor = "grabbing";
    } else if (this.#pointers.size === 2) {
      const [other] = [...this.#pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
      const before = Math.hypot(held.x - other.x, held.y - other.y), after = Math.hypot(now.x - other.x, now.y - other.y);
      if (before > 0 && after > 0) camera.zoomAt((now.x + other.x) / 2, (now.y + other.y) / 2, after / before);
      camera.pan((now.x - held.x) / 2, (now.y - held.y) / 2);
    }
    this.#pointers.set(event.pointerId, now);
    this.#soon();
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const pan = (left, top) => () => { this.camera.pan(left, top); this.#soon(); this.#rest(); };
    const keys = {
      ArrowLeft: pan(STEP_PX, 0), ArrowRight: pan(-STEP_PX, 0), ArrowUp: pan(0, STEP_PX), ArrowDown: pan(0, -STEP_PX),
      "+": () => this.#zoom(1.5), "=": () => this.#zoom(1.5), "-": () => this.#zoom(1 / 1.5), 0: () => this.#fit(),
      Enter: () => this.#open(this.atlas.nearest(this.camera.width / 2, this.camera.height / 2)),
    };
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  }
}
