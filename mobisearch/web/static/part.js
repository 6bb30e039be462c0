// A box on a picture: the part of it that is searched by. With mouse, pen, finger and keys.

import { make } from "./dom.js";
import { percent } from "./wording.js";

const LEAST = 0.03;
const STEP = 0.01;
const CORNERS = [["left", "top"], ["right", "top"], ["left", "bottom"], ["right", "bottom"]];
const REST_MS = 600;

const within = (value, least, most) => Math.min(most, Math.max(least, value));

/** Draws and changes a box over a picture. */
export class PartChooser {
  #timer = 0;

  /** `box` is x, y, width, height as shares, or null; `changed` gets the same once it rests. */
  constructor({ box = null, changed, takesTouch = true }) {
    this.box = box;
    this.changed = changed;
    this.element = make("div", { class: "part-ground", pointerdown: (event) => this.#press(event, takesTouch) });
    if (takesTouch) this.element.style.touchAction = "none";
    this.frame = make("div", { class: "part-box", tabindex: "0", role: "group", keydown: (event) => this.#key(event) });
    for (const [x, y] of CORNERS) {
      const handle = make("span", { class: "part-handle", data: { x, y } });
      handle.style[x] = "0";
      handle.style[y] = "0";
      handle.style.cursor = (x === "left") === (y === "top") ? "nwse-resize" : "nesw-resize";
      handle.style.margin = `${y === "top" ? "-.75rem" : "0"} ${x === "right" ? "-.75rem" : "0"} ${y === "bottom" ? "-.75rem" : "0"} ${x === "left" ? "-.75rem" : "0"}`;
      this.frame.append(handle);
    }
    this.#draw();
  }

  /** Begin with a box in the middle, for those who use keys. */
  begin() {
    if (!this.box) this.box = [0.25, 0.25, 0.5, 0.5];
    this.#draw();
    this.frame.focus();
    this.#rest();
  }

  /** Take the whole picture again. */
  clear() {
    this.box = null;
    this.#draw();
    this.changed(null);
  }

  /** Show another box, as the address says. */
  set(box) {
    this.box = box;
    this.#draw();
  }

  #draw() {
    if (!this.box) {
      this.frame.remove();
      return;
    }
    const [x, y, width, height] = this.box;
    Object.assign(this.frame.style, { left: `${x * 100}%`, top: `${y * 100}%`, width: `${width * 100}%`, height: `${height * 100}%` });
    this.frame.setAttribute("aria-label", `Part of the picture: ${percent(width)} wide, ${percent(height)} tall, ${percent(x)} from the left, ${percent(y)} from the top. Arrows move it, with Shift they size it, Delete takes it away.`);
    if (!this.frame.isConnected) this.element.append(this.frame);
  }

  #press(event, takesTouch) {
    if (event.button !== 0 || (event.pointerType === "touch" && !takesTouch)) return;
    event.preventDefault();
    const area = this.element.getBoundingClientRect();
    const at = (one) => [within((one.clientX - area.left) / area.width, 0, 1), within((one.clientY - area.top) / area.height, 0, 1)];
    const start = at(event), before = this.box, handle = event.target.closest(".part-handle");
    const isMove = !handle && event.target === this.frame;
    const [bx, by, bw, bh] = before ?? [0, 0, 0, 0];
    const fixed = handle ? [handle.dataset.x === "left" ? bx + bw : bx, handle.dataset.y === "top" ? by + bh : by] : start;
    let isMoved = false;
    const drag = (one) => {
      const [x, y] = at(one);
      isMoved ||= Math.hypot((x - start[0]) * area.width, (y - start[1]) * area.height) > 4;
      if (!isMoved) return;
      this.box = isMove
        ? [within(bx + x - start[0], 0, 1 - bw), within(by + y - start[1], 0, 1 - bh), bw, bh]
        : [Math.min(x, fixed[0]), Math.min(y, fixed[1]), Math.abs(x - fixed[0]), Math.abs(y - fixed[1])];
      this.#draw();
    };
    const stop = (isDone) => {
      this.element.removeEventListener("pointermove", drag);
      this.element.removeEventListener("pointerup", done);
      this.element.removeEventListener("pointercancel", cancelled);
      if (!isDone || (isMoved && (this.box[2] < LEAST || this.box[3] < LEAST))) {
        this.box = before;
        this.#draw();
      } else if (isMoved) {
        this.frame.focus({ preventScroll: true });
        this.changed(this.box);
      } else if (isMove) this.frame.focus({ preventScroll: true });
    };
    const done = () => stop(true), cancelled = () => stop(false);
    this.element.setPointerCapture(event.pointerId);
    this.element.addEventListener("pointermove", drag);
    this.element.addEventListener("pointerup", done);
    this.element.addEventListener("pointercancel", cancelled);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === "Delete" || event.key === "Backspace") {
      const next = this.element.parentElement.querySelector("button") ?? document.body;
      this.clear();
      next.focus();
    } else if (Object.hasOwn(steps, event.key)) {
      const [dx, dy] = steps[event.key].map((step) => step * STEP);
      const [x, y, width, height] = this.box;
      this.box = event.shiftKey
        ? [x, y, within(width + dx, LEAST, 1 - x), within(height + dy, LEAST, 1 - y)]
        : [within(x + dx, 0, 1 - width), within(y + dy, 0, 1 - height), width, height];
      this.#draw();
      this.#rest();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #rest() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => { if (this.box) this.changed(this.box); }, REST_MS);
  }
}
