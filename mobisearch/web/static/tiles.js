// One photo in a grid: a link that opens it, its score, and what can be asked for from there.

import { thumbnail } from "./api.js";
import { button, make, shown } from "./dom.js";
import { score } from "./wording.js";

const MOST_PICTURES = 900;
const SIZES = [128, 256, 512];

/** Pictures that were shown are kept for a while, so that scrolling back loads nothing twice. */
class Pictures {
  #kept = new Map();

  find(id, px) {
    const key = `${id}/${px}`;
    let picture = this.#kept.get(key);
    if (picture) this.#kept.delete(key);
    else {
      picture = make("img", { alt: "", decoding: "async", draggable: "false", src: thumbnail(id, px) });
      picture.addEventListener("load", () => picture.classList.add("is-here"));
      picture.addEventListener("error", () => { this.#kept.delete(key); picture.classList.add("is-lost"); });
    }
    this.#kept.set(key, picture);
    if (this.#kept.size > MOST_PICTURES) {
      for (const [old, one] of this.#kept) {
        if (!one.isConnected) { this.#kept.delete(old); break; }
      }
    }
    return picture;
  }
}

const pictures = new Pictures();

/** Return which of the sizes the server makes fits a place, in pixels of the screen. */
export function fittingPx(longer) {
  const wanted = longer * Math.min(devicePixelRatio || 1, 2);
  return SIZES.find((px) => px >= wanted * 0.85) ?? SIZES.at(-1);
}

/**
 * Return the tile of a photo.
 *
 * `place` says where and how large, `number` and `total` which of how many; `asking` lists what can be
 * asked for, each with `words`, `shape`, `key`, `act(image)`; `href(image)` is where it opens.
 */
export function makeTile({ entry, number, total, place, href, asking }) {
  const { image } = entry;
  const words = [shown(image.name), entry.score === undefined ? null : `score ${score(entry.score)}`, image.is_there ? null : "its file is missing"];
  const open = make("a", { class: "tile-open", href: href(image), "aria-label": words.filter(Boolean).join(", "), tabindex: "-1", draggable: "false" });
  const tile = make("div", { class: "tile", role: "listitem", "aria-posinset": number + 1, "aria-setsize": total }, open);
  tile.dataset.place = number;
  tile.dataset.id = image.id;
  open.append(pictures.find(image.id, fittingPx(Math.max(place.width, place.height))));
  const name = make("span", { class: "tile-name", dir: "auto", "aria-hidden": "true", text: shown(image.name) });
  tile.append(name);
  if (entry.score !== undefined) tile.append(make("span", { class: "tile-score", "aria-hidden": "true", text: score(entry.score) }));
  if (!image.is_there) tile.append(make("span", { class: "tile-gone", "aria-hidden": "true", text: "missing" }));
  if (asking?.length) {
    tile.append(make("div", { class: "tile-tools" }, ...asking.map(({ words, shape, act }) =>
      button(words, () => act(image), { shape, isBare: true, tabindex: "-1" }))));
  }
  move(tile, place);
  return tile;
}

/** Put a tile where it belongs. */
export function move(tile, { x, y, width, height }) {
  tile.style.transform = `translate(${x}px, ${y}px)`;
  tile.style.width = `${width}px`;
  tile.style.height = `${height}px`;
}
