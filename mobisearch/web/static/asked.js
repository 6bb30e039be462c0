// The pictures that are searched by: each as a card, whole or a part of it, wanted or not.

import { queryPreview, thumbnail } from "./api.js";
import { writeLike } from "./address.js";
import { button, make } from "./dom.js";
import { PartChooser } from "./part.js";

/** What is searched by: cards in a row that stay the same while only something of them changes. */
export class Asked {
  #cards = new Map();

  /** `handlers`: `changed(likes, unlikes)`, `add()`, `enlarge(entry)`. */
  constructor(handlers) {
    this.handlers = handlers;
    this.element = make("div", { class: "asked", role: "group", "aria-label": "Searched by" });
    this.adding = button("Add a picture", () => this.handlers.add(), { name: "card-add", shape: "plus" });
    this.element.append(this.adding);
  }

  /** Show what the address says. */
  show(likes, unlikes) {
    this.likes = likes;
    this.unlikes = unlikes;
    const needed = new Map();
    for (const [entries, isUnlike] of [[likes, false], [unlikes, true]]) {
      for (const entry of entries) {
        const key = this.#key(entry);
        if (needed.has(key)) continue;
        const card = this.#cards.get(key) ?? this.#make(entry);
        card.entry = entry;
        card.part.set(entry.box ?? null);
        this.#tint(card, isUnlike);
        needed.set(key, card);
      }
    }
    for (const [key, card] of this.#cards) if (!needed.has(key)) card.element.remove();
    this.#cards = needed;
    let before = this.element.firstElementChild;
    for (const card of needed.values()) {
      if (card.element === before) before = before.nextElementSibling;
      else this.element.insertBefore(card.element, before);
    }
  }

  #key(entry) {
    return writeLike({ ...entry, box: undefined });
  }

  #tint(card, isUnlike) {
    card.isUnlike = isUnlike;
    card.element.classList.toggle("is-unlike", isUnlike);
    card.like.querySelector("span").textContent = isUnlike ? "Less like this" : "Like this";
    card.like.title = isUnlike ? "Search for what looks like it" : "Search away from it";
    // Away from something is only possible from somewhere.
    card.like.disabled = !isUnlike && this.likes.length < 2;
    card.whole.hidden = !card.entry.box;
  }

  #make(entry) {
    const card = { entry };
    const frame = make("div", { class: "card-picture" });
    const picture = make("img", { alt: entry.query ? "A picture of yours" : "A photo of the collection", draggable: "false", src: entry.query ? queryPreview(entry.query) : thumbnail(entry.image, 512) });
    picture.addEventListener("error", () => {
      picture.replaceWith(make("p", { class: "card-lost", text: entry.query ? "This picture is not held any more. Choose it again." : "This photo cannot be shown." }));
      card.part.element.remove();
    });
    card.part = new PartChooser({ box: entry.box ?? null, takesTouch: false, changed: (box) => this.#change(card, { box: box ?? undefined }) });
    frame.append(picture, card.part.element);
    card.like = button("Like this", () => this.#flip(card), { name: "like" });
    card.whole = button("Whole picture", () => card.part.clear(), { shape: "fit", isBare: true, name: "quiet" });
    card.element = make("div", { class: "card", role: "group", "aria-label": "Picture" }, frame, make("div", { class: "card-foot" },
      card.like,
      button("Search by a part", () => this.handlers.enlarge(card.entry), { shape: "part", isBare: true, name: "quiet" }),
      card.whole,
      button("Take this picture out", () => this.#drop(card), { shape: "close", isBare: true, name: "quiet" })));
    return card;
  }

  #change(card, change) {
    const put = (entries) => entries.map((entry) => (this.#key(entry) === this.#key(card.entry) ? { ...entry, ...change } : entry));
    this.handlers.changed(put(this.likes), put(this.unlikes));
  }

  #flip(card) {
    const others = (entries) => entries.filter((entry) => this.#key(entry) !== this.#key(card.entry));
    if (card.isUnlike) this.handlers.changed([...this.likes, card.entry], others(this.unlikes));
    else this.handlers.changed(others(this.likes), [...this.unlikes, card.entry]);
  }

  #drop(card) {
    const others = (entries) => entries.filter((entry) => this.#key(entry) !== this.#key(card.entry));
    this.handlers.changed(others(this.likes), others(this.unlikes));
    this.adding.focus();
  }
}
