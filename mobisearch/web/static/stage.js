// A large picture: first as it is small, then sharp; fitted, or as large as it is to look closely.

import { make } from "./dom.js";
import { PartChooser } from "./part.js";

/** Shows one picture large, with a box on it if wanted. */
export class Stage {
  constructor() {
    this.frame = make("div", { class: "stage-frame" });
    this.element = make("div", { class: "stage" }, this.frame);
    this.part = null;
  }

  /** Show a picture: `small` is likely at hand, `large` comes later; sides as far as they are known. */
  show({ small, large, alt, width, height, box, chosen }) {
    const picture = make("img", { alt, src: small, draggable: "false", class: "stage-picture" });
    this.frame.classList.remove("is-close", "is-lost");
    this.frame.replaceChildren(picture);
    this.shape = width && height ? width / height : null;
    picture.addEventListener("load", () => {
      this.shape ??= picture.naturalWidth / picture.naturalHeight;
      this.fit();
    });
    this.picture = picture;
    this.fit();
    const sharp = new Image();
    sharp.addEventListener("load", () => { if (this.picture === picture) picture.src = large; });
    const lose = () => {
      if (this.picture !== picture) return;
      this.frame.classList.add("is-lost");
      this.frame.replaceChildren(make("p", { text: "This picture cannot be shown: its file is missing, or cannot be read now." }));
    };
    sharp.addEventListener("error", lose);
    sharp.src = large;
    this.part = new PartChooser({ box: box ?? null, changed: (made) => chosen?.(made) });
    this.isChoosing = Boolean(box);
    if (this.isChoosing) this.frame.append(this.part.element);
  }

  /** Show nothing. */
  clear() {
    this.picture = null;
    this.frame.replaceChildren();
  }

  /** Size the frame so that the picture is wholly seen: the box lies exactly over it. */
  fit() {
    if (!this.shape || this.frame.classList.contains("is-lost")) return;
    const style = getComputedStyle(this.element);
    const wide = this.element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const tall = this.element.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    const width = Math.min(wide, tall * this.shape);
    this.frame.style.width = `${width}px`;
    this.frame.style.height = `${width / this.shape}px`;
  }

  /** Let a part be chosen, or not any more. */
  choosePart(isOn) {
    this.isChoosing = isOn;
    this.lookClosely(false);
    if (isOn) {
      this.frame.append(this.part.element);
      this.part.begin();
    } else {
      this.part.set(null);
      this.part.element.remove();
    }
  }

  /** Look at the picture in its own size, or at the whole again. */
  lookClosely(isOn = !this.element.classList.contains("is-close")) {
    if (isOn && this.isChoosing) return;
    this.element.classList.toggle("is-close", isOn);
    if (isOn && this.picture) {
      const times = Math.max(1.6, (this.picture.naturalWidth / (devicePixelRatio || 1)) / this.frame.clientWidth);
      this.frame.style.width = `${this.frame.clientWidth * times}px`;
      this.frame.style.height = `${this.frame.clientHeight * times}px`;
      this.element.scrollTo((this.element.scrollWidth - this.element.clientWidth) / 2, (this.element.scrollHeight - this.element.clientHeight) / 2);
    } else this.fit();
  }
}
