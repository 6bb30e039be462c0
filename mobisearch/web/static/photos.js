// The views "photos" and "search": photos in rows, what is asked for, and the filters.

import { go, link, readLike, remember, remembered, writeLike } from "./address.js";
import { Asked } from "./asked.js";
import { button, make } from "./dom.js";
import { FILTERS, makeFilters, readFilters } from "./filters.js";
import { Grid } from "./grid.js";
import * as live from "./live.js";
import { failure, say } from "./messages.js";
import { Found, Listing } from "./sources.js";
import { count, number } from "./wording.js";

const SORTS = [["newest", "Newest first"], ["oldest", "Oldest first"], ["largest", "Largest first"], ["name", "By name"]];

/** Return the values of an address that searches by pictures. */
export function searchValues(likes, unlikes, values = new URLSearchParams()) {
  const made = new URLSearchParams();
  for (const entry of likes) made.append("like", writeLike(entry));
  for (const entry of unlikes) made.append("unlike", writeLike(entry));
  for (const name of FILTERS) if (values.get(name)) made.set(name, values.get(name));
  return made;
}

/** Return the pictures that an address searches by: wanted ones, and others. */
export const readLikes = (values) => ["like", "unlike"].map((name) => values.getAll(name).map(readLike).filter(Boolean));

/** Photos in rows; `isSearch` says which of the two views this is. */
export class PhotosView {
  #asking = null;
  #shownText = null;
  #place = null;

  constructor(main, { isSearch, choose, enlarge }) {
    this.isSearch = isSearch;
    this.title = make("h1", { text: isSearch ? "" : "Photos" });
    this.note = make("p", {});
    this.tools = make("div", { class: "head-tools" });
    this.filters = make("div", {});
    this.below = make("div", {});
    this.grid = new Grid({
      href: (image) => link(isSearch ? "search" : "photos", this.#with("photo", image.id)),
      asking: this.#actions(),
      failed: (error) => this.below.replaceChildren(failure(error, () => this.#open())),
      grown: () => this.#count(),
    });
    this.asked = isSearch ? new Asked({ add: choose, enlarge, changed: (likes, unlikes) => this.#ask(likes, unlikes) }) : null;
    this.news = button("New photos: show them", () => { scrollTo(0, 0); this.#open(); }, { name: "news primary", hidden: true });
    main.replaceChildren(make("div", { class: "head" }, make("div", {}, this.title, this.note), this.tools), ...(this.asked ? [this.asked.element] : []), this.filters, this.news, this.grid.element, this.below);
    this.unfollow = live.follow((status, before) => this.#hear(status, before));
    this.remembering = () => this.#keep();
    addEventListener("scrollend", this.remembering);
  }

  end() {
    this.#asking?.abort();
    this.grid.end();
    this.unfollow();
    removeEventListener("scrollend", this.remembering);
  }

  /** Show what the address says; what is the same already stays as it is. */
  async update(values, { isBack }) {
    this.values = values;
    const text = link("", this.#without("photo"));
    if (text === this.#shownText) return;
    this.#shownText = text;
    this.#place = isBack ? (remembered().anchor ?? null) : null;
    if (!this.#place) scrollTo(0, 0);
    this.#drawFilters();
    await this.#open();
  }

  /** What stands around the photo that is open: the list that it is in. */
  get source() {
    return this.grid.source;
  }

  #with(name, value) {
    const made = new URLSearchParams(this.values);
    made.set(name, value);
    return made;
  }

  #without(name) {
    const made = new URLSearchParams(this.values);
    made.delete(name);
    return made;
  }

  #actions() {
    const more = { words: "More like this", shape: "more", key: "m", act: (image) => this.#ask([{ image: image.id }], []) };
    if (!this.isSearch) return [more];
    const also = { words: "Also like this", shape: "plus", key: "a", act: (image) => this.#add(image, false) };
    const less = { words: "Less like this", shape: "less", key: "l", act: (image) => this.#add(image, true) };
    return [more, also, less];
  }

  get actions() {
    return this.#actions();
  }

  #add(image, isUnlike) {
    const [likes, unlikes] = readLikes(this.values).map((entries) => entries.filter((entry) => entry.image !== image.id));
    (isUnlike ? unlikes : likes).push({ image: image.id });
    if (likes.length) this.#ask(likes, unlikes);
  }

  #ask(likes, unlikes) {
    if (likes.length) go("search", searchValues(likes, unlikes, this.values));
    else go("photos", searchValues([], [], this.values));
  }

  #drawFilters() {
    const held = this.filters.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
    const isOpen = this.filters.firstElementChild?.classList.contains("is-open");
    const row = makeFilters(this.values, live.status() ?? {}, (changes) => this.#change(changes));
    row.classList.toggle("is-open", Boolean(isOpen));
    row.querySelector(".filters-toggle").setAttribute("aria-expanded", String(Boolean(isOpen)));
    this.filters.replaceChildren(row);
    if (held) [...row.querySelectorAll("[aria-label]")].find((one) => one.getAttribute("aria-label") === held)?.focus();
    this.tools.replaceChildren();
    if (this.isSearch) return;
    const sort = make("select", { "aria-label": "Order" });
    for (const [value, text] of SORTS) sort.append(make("option", { value, text }));
    sort.value = this.#sort;
    sort.addEventListener("change", () => this.#change({ sort: sort.value === "newest" ? "" : sort.value }));
    this.tools.append(sort);
  }

  get #sort() {
    const wanted = this.values.get("sort");
    return SORTS.some(([name]) => name === wanted) ? wanted : "newest";
  }

  #change(changes) {
    const made = this.#without("photo");
    for (const [name, value] of Object.entries(changes)) {
      if (value === "") made.delete(name);
      else made.set(name, value);
    }
    go(this.isSearch ? "search" : "photos", made);
  }

  /** Ask for the photos, and show them. */
  async #open() {
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    this.news.hidden = true;
    this.below.replaceChildren();
    const [likes, unlikes] = readLikes(this.values);
    this.asked?.show(likes, unlikes);
    this.grid.element.setAttribute("aria-busy", "true");
    this.asked?.element.classList.add("waiting");
    if (this.isSearch && !this.title.textContent) this.title.textContent = "Looking …";
    try {
      if (this.isSearch && !likes.length) {
        go("photos", searchValues([], [], this.values), { replace: true });
        return;
      }
      const filters = readFilters(this.values);
      const source = this.isSearch
        ? await new Found({ like: likes, unlike: unlikes, filters }).open(asking.signal)
        : await new Listing(filters, this.#sort).open();
      if (asking.signal.aborted) return;
      const hadFocus = this.grid.element.contains(document.activeElement);
      this.grid.show(source);
      this.#count();
      if (hadFocus || (this.isSearch && document.activeElement?.id === "main")) this.grid.focus(0, { staysThere: true });
      if (this.#place) this.grid.restore(this.#place);
      this.#place = null;
    } catch (error) {
      if (error.name === "AbortError" || asking.signal.aborted) return;
      this.title.textContent = this.isSearch ? "No answer" : "Photos";
      this.note.textContent = "";
      this.grid.clear();
      this.below.replaceChildren(failure(error, () => this.#open()));
    } finally {
      if (this.#asking === asking) {
        this.grid.element.setAttribute("aria-busy", "false");
        this.asked?.element.classList.remove("waiting");
      }
    }
  }

  #count() {
    const source = this.grid.source, isFiltered = FILTERS.some((name) => this.values.get(name));
    this.title.textContent = this.isSearch ? "Looks like this" : count(source.total, "photo");
    document.title = `${this.title.textContent} – mobisearch`;
    this.note.textContent = this.isSearch
      ? `${source.hasMore ? "The first " : ""}${count(source.total, "photo")}, most alike first · ${source.seconds < 0.001 ? "under 1" : Math.round(source.seconds * 1000)} ms`
      : isFiltered ? `of ${number(live.status()?.images ?? source.total)}, with these filters` : "";
    say(this.isSearch ? `${count(source.total, "photo")} found.` : `${count(source.total, "photo")}.`);
    this.below.replaceChildren(...(source.total ? [] : [this.#nothing(isFiltered)]));
  }

  #nothing(isFiltered) {
    if (isFiltered) {
      return make("div", { class: "nothing" }, make("h2", { text: "Nothing with these filters" }),
        button("Clear filters", () => this.#change(Object.fromEntries(FILTERS.map((name) => [name, ""])))));
    }
    if (this.isSearch) return make("div", { class: "nothing" }, make("h2", { text: "There is nothing else in the collection" }));
    return make("div", { class: "nothing" }, make("h2", { text: "No photos yet" }),
      make("p", {}, "In a terminal, ", make("code", { text: "mobisearch index ~/Pictures" }), " fills this index. The page follows along: there is no need to reload it."));
  }

  #keep() {
    if (this.grid.source && document.querySelector("dialog[open]") === null) remember({ anchor: this.grid.anchor() });
  }

  /** The index has changed: show it at once where nobody is looking at anything yet, else offer it. */
  #hear(status, before) {
    if (!status || !this.values) return;
    if (!before) return this.#drawFilters();
    const isNew = status.generation !== before.generation && (status.images !== before.images || status.missing !== before.missing);
    if (!isNew) return;
    const isAtTop = scrollY < 80 && !document.querySelector("dialog[open]") && !this.filters.contains(document.activeElement);
    if (this.isSearch) this.news.hidden = false;
    else if (isAtTop) {
      this.#drawFilters();
      this.#open();
    } else this.news.hidden = false;
  }
}
