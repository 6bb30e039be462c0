// One photo large, with what is known of it, what looks like it, and what is before and after it.

import { change, go, here, remember, remembered } from "./address.js";
import { preview, queryPreview, read, thumbnail } from "./api.js";
import { button, make, named, shown } from "./dom.js";
import { makeFacts } from "./facts.js";
import * as live from "./live.js";
import { failure, say } from "./messages.js";
import { readLikes, searchValues } from "./photos.js";
import { Stage } from "./stage.js";
import { score } from "./wording.js";

const BESIDE = 12;

/** The photo that the address names with `photo`, over the view. */
export class Viewer {
  #asking = null;
  #id = null;
  #depth = 0;

  constructor({ source, actions }) {
    this.source = source; // () => the photos around, or null
    this.actions = actions; // () => what can be asked for from the view below
    this.stage = new Stage();
    this.side = make("aside", { class: "viewer-side", "aria-label": "About this photo" });
    this.back = button("Photo before", () => this.#step(-1), { shape: "left", isBare: true, name: "viewer-step is-before" });
    this.next = button("Photo after", () => this.#step(1), { shape: "right", isBare: true, name: "viewer-step is-after" });
    this.closing = button("Close", () => this.#leave(), { shape: "close", isBare: true, name: "viewer-close" });
    this.dialog = make("dialog", { class: "viewer", "aria-label": "Photo" },
      make("div", { class: "viewer-main" }, this.stage.element, this.back, this.next, this.closing), this.side);
    this.dialog.addEventListener("cancel", (event) => { event.preventDefault(); this.#escape(); });
    this.dialog.addEventListener("keydown", (event) => this.#press(event));
    this.stage.element.addEventListener("dblclick", () => this.stage.lookClosely());
    this.#swipe();
    document.body.append(this.dialog);
    addEventListener("resize", () => { if (this.dialog.open) this.stage.fit(); });
  }

  /** Follow the address: open, change, or close. */
  async update(values, { isBack }) {
    const id = /^\d{1,15}$/.test(values.get("photo") ?? "") ? Number(values.get("photo")) : null;
    if (id === this.#id) return;
    this.#id = id;
    // How many entries of the history are photos before this one: closing goes back past all of them.
    if (id !== null && !isBack && remembered().depth === undefined) remember({ depth: this.#depth + 1 });
    this.#depth = id === null ? 0 : (remembered().depth ?? 0);
    this.#asking?.abort();
    if (id === null) {
      this.dialog.close();
      this.stage.clear();
      this.side.replaceChildren();
      document.documentElement.classList.remove("is-covered");
      return;
    }
    if (!this.dialog.open) {
      this.dialog.showModal();
      document.documentElement.classList.add("is-covered");
      this.closing.focus();
    }
    const asking = new AbortController();
    this.#asking = asking;
    await this.#find(id);
    if (asking.signal.aborted) return;
    const known = await this.#around(0);
    const likes = readLikes(values)[0];
    try {
      // Labels are not in lists.
      const isWhole = known?.image.id === id && !Object.keys(live.status()?.labels ?? {}).length;
      const image = isWhole ? known.image : await read(`/api/images/${id}`, { signal: asking.signal });
      const own = likes.find((entry) => entry.image === id && entry.box);
      this.#show(image, known?.image.id === id ? known.score : undefined, own?.box);
      this.#showSimilar(image, asking.signal);
    } catch (error) {
      if (error.name !== "AbortError") this.side.replaceChildren(failure(error));
    }
    const [before, after] = await Promise.all([this.#around(-1), this.#around(1)]);
    if (asking.signal.aborted) return;
    this.back.hidden = !before;
    this.next.hidden = !after;
    for (const one of [before, after]) if (one) new Image().src = thumbnail(one.image.id, 512);
  }

  // ---- what is around it

  /** Find where a photo is in the list around it, near where one was. */
  async #find(id) {
    const source = this.source();
    const guess = this.place ?? 0;
    this.place = null;
    if (!source) return;
    for (let by = 0; by < 400 && this.place === null; by++) {
      for (const place of [guess + by, guess - by]) {
        if (place < 0 || place >= source.total) continue;
        const block = source.peek?.(Math.floor(place / 100));
        const entry = source.peek ? block?.[place % 100] : await source.at(place);
        if (entry?.image.id === id) this.place = place;
      }
    }
  }

  async #around(by) {
    const source = this.source();
    if (!source || this.place === null) return null;
    try {
      return await source.at(this.place + by);
    } catch {
      return null; // said where the list is
    }
  }

  async #step(by) {
    const entry = await this.#around(by);
    if (!entry || this.#id === null) return;
    this.place += by;
    change({ photo: entry.image.id }, { replace: true });
  }

  // ---- what is shown

  #show(image, value, box) {
    const name = shown(image.name);
    this.stage.show({
      small: thumbnail(image.id, 512), large: preview(image.id), alt: name, width: image.width, height: image.height, box,
      chosen: (made) => { this.box = made; this.searching.hidden = !made; },
    });
    this.box = box ?? null;
    this.image = image;
    this.dialog.setAttribute("aria-label", name);
    const { values } = here();
    this.searching = button("Search by this part", () => this.#searchPart(), { name: "primary", shape: "part", hidden: !box });
    this.parting = button("Search by a part", () => this.#togglePart(), { shape: "part", "aria-pressed": String(Boolean(box)) });
    const rest = (this.actions() ?? []).filter(({ key }) => key !== "m");
    const actions = make("div", { class: "viewer-actions" },
      button("More like this", () => this.#leaveFor(() => go("search", searchValues([{ image: image.id }], [], values))), { name: "primary", shape: "more" }),
      this.parting, this.searching, ...rest.map(({ words, shape, act }) => button(words, () => this.#leaveFor(() => act(image)), { shape })));
    const facts = makeFacts(image, (filter, chosen) => go("photos", new URLSearchParams({ [filter]: chosen })));
    this.similar = make("section", { class: "similar", "aria-label": "Looks like this" });
    this.side.replaceChildren(
      named("h2", image.name), ...(value === undefined ? [] : [make("p", { class: "soft", text: `Score ${score(value)}` })]), actions, facts, this.similar);
    this.side.scrollTop = 0;
    say(name);
  }

  async #showSimilar(image, signal) {
    try {
      const found = await read(`/api/images/${image.id}/similar?k=${BESIDE}`, { signal });
      if (!found.matches.length) return;
      const list = make("ul", {});
      for (const match of found.matches) {
        const picture = make("img", { src: thumbnail(match.image.id, 256), alt: "", loading: "lazy", draggable: "false" });
        list.append(make("li", {}, make("button", { type: "button", class: "plain", "aria-label": `${shown(match.image.name)}, score ${score(match.score)}`, click: () => change({ photo: match.image.id }) },
          picture, make("span", { class: "tile-score", "aria-hidden": "true", text: score(match.score) }))));
      }
      this.similar.replaceChildren(make("h3", { text: "Looks like this" }), list);
    } catch (error) {
      if (error.name !== "AbortError") this.similar.replaceChildren(failure(error, () => this.#showSimilar(image, signal)));
    }
  }

  // ---- what is done

  #togglePart() {
    const isOn = !this.stage.isChoosing;
    this.stage.choosePart(isOn);
    this.parting.setAttribute("aria-pressed", String(isOn));
    this.box = this.stage.part.box;
    this.searching.hidden = !isOn;
    if (isOn) say("Draw a box on the picture, or move it with the arrow keys; then search by this part.");
  }

  #searchPart() {
    const box = this.stage.part.box, { values } = here();
    const [likes, unlikes] = readLikes(values), own = { image: this.image.id, box };
    const isAsked = likes.some((entry) => entry.image === own.image);
    this.#leaveFor(() => go("search", isAsked
      ? searchValues(likes.map((entry) => (entry.image === own.image ? own : entry)), unlikes, values)
      : searchValues([own], [], values)));
  }

  /** Leave this photo for something else, so that the way back leads to the photo. */
  #leaveFor(act) {
    const { view, values } = here();
    act();
    const now = here();
    if (now.view === view && now.values.toString() === values.toString()) this.#leave();
  }

  #leave() {
    if (this.#depth) history.go(-this.#depth);
    else change({ photo: null }, { replace: true });
  }

  #escape() {
    if (this.stage.element.classList.contains("is-close")) this.stage.lookClosely(false);
    else if (this.stage.isChoosing) this.#togglePart();
    else this.#leave();
  }

  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(".part-box")) return;
    const keys = {
      ArrowLeft: () => this.#step(-1), ArrowRight: () => this.#step(1), z: () => this.stage.lookClosely(),
      b: () => this.#togglePart(), m: () => this.side.querySelector(".primary")?.click(),
      c: () => this.side.querySelector('[aria-label="Copy the path"]')?.click(),
    };
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  }

  #swipe() {
    let start = null;
    this.stage.element.addEventListener("touchstart", (event) => {
      start = event.touches.length === 1 && !this.stage.isChoosing && !this.stage.element.classList.contains("is-close") ? event.touches[0] : null;
    }, { passive: true });
    this.stage.element.addEventListener("touchend", (event) => {
      if (!start) return;
      const end = event.changedTouches[0], dx = end.clientX - start.clientX;
      if (Math.abs(dx) > 60 && Math.abs(dx) > 2 * Math.abs(end.clientY - start.clientY)) this.#step(dx < 0 ? 1 : -1);
    }, { passive: true });
  }
}

/** Let a part of a picture that was uploaded be chosen, large. */
export function enlargeQuery(entry, chosen) {
  const stage = new Stage();
  const closing = button("Close", () => dialog.close(), { shape: "close", isBare: true, name: "viewer-close" });
  const dialog = make("dialog", { class: "viewer is-plain", "aria-label": "Search by a part of the picture" },
    make("div", { class: "viewer-main" }, stage.element, closing),
    make("div", { class: "viewer-foot" }, make("p", { text: "Draw a box around what you look for." }),
      button("Whole picture", () => { dialog.close(); chosen(undefined); }),
      button("Search by this part", () => { dialog.close(); chosen(stage.part.box ?? undefined); }, { name: "primary", shape: "part" })));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  const address = entry.query ? queryPreview(entry.query) : preview(entry.image);
  stage.show({ small: address, large: address, alt: "The picture", box: entry.box });
  stage.choosePart(true);
  if (entry.box) stage.part.set(entry.box);
  addEventListener("resize", () => stage.fit());
}
