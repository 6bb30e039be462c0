// The collection at a glance: how much, how old, of what kinds, and what could not be read.

import { link } from "./address.js";
import { query, read } from "./api.js";
import { make, named, shown } from "./dom.js";
import { shortFolder } from "./filters.js";
import * as live from "./live.js";
import { failure } from "./messages.js";
import { bytes, count, number, percent, taken } from "./wording.js";

const MOST_BARS = 40;
const FIRST_YEAR = 1840;
const MOST_LINES = 8;
const year = (text) => Number(/^\d{4}/.exec(text ?? "")?.[0]) || null;

/** The numbers of the collection, each of which leads to the photos that it counts. */
export class CollectionView {
  #asking = new AbortController();

  constructor(main) {
    this.main = main;
    this.holder = make("div", { class: "collection" });
    main.replaceChildren(this.holder);
    this.unfollow = live.follow((status, before) => { if (status && before) this.#draw(status); });
  }

  end() {
    this.#asking.abort();
    this.unfollow();
  }

  update(values) {
    const text = link("", values).replace(/photo=\d+&?/, "");
    if (text === this.shownText) return;
    this.shownText = text;
    this.#draw(live.status());
  }

  #draw(status) {
    this.#asking.abort();
    this.#asking = new AbortController();
    const figures = make("dl", { class: "figures" });
    const add = (value, words, href = null) => figures.append(make("div", {}, make("dt", { text: words }), make("dd", {}, href ? make("a", { href, text: value }) : value)));
    add(number(status.images), status.images === 1 ? "photo" : "photos", "#/photos");
    add(bytes(status.size_bytes), "on disk");
    if (year(status.oldest)) {
      const from = year(status.oldest), to = year(status.newest) ?? from;
      add(from === to ? String(from) : `${from}–${to}`, "taken", "#/photos?sort=oldest");
    }
    add(number(status.missing), "missing now");
    add(number(status.failed), status.failed === 1 ? "file not read" : "files not read", status.failed ? "#errors" : null);
    for (const anchor of figures.querySelectorAll('a[href="#errors"]')) {
      anchor.addEventListener("click", (event) => {
        event.preventDefault();
        document.getElementById("errors")?.scrollIntoView();
      });
    }
    this.years = make("section", { class: "wide", "aria-label": "By year", hidden: true });
    this.errors = make("section", { class: "wide", id: "errors", hidden: true });
    this.holder.replaceChildren(
      make("h1", { text: "The collection" }), figures, this.years,
      this.#bars("Formats", status.formats, "format", status.images),
      this.#bars("Cameras", status.cameras, "camera", status.images),
      this.#bars("Labels", status.labels, "label", status.images),
      this.#bars("Folders", status.folders, "folder", status.images, shortFolder),
      this.errors, this.#about(status));
    for (const section of [...this.holder.querySelectorAll("section")]) if (!section.childElementCount && !section.hidden) section.remove();
    this.#drawYears(status, this.#asking.signal);
    if (status.failed) this.#drawErrors(this.#asking.signal);
  }

  /** Bars of one kind, the largest first; each is a link to its photos. */
  #bars(title, found, filter, total, shorten = (name) => name) {
    const section = make("section", { "aria-label": title });
    const entries = Object.entries(found ?? {}).sort(([, one], [, other]) => other - one);
    if (!entries.length) return section;
    const list = make("ul", { class: "bars" }), most = Math.max(1, entries[0][1]);
    entries.forEach(([name, n], place) => {
      const bar = make("span", { class: "bar-fill", "aria-hidden": "true" });
      bar.style.width = `${(100 * n) / most}%`;
      list.append(make("li", { hidden: place >= MOST_LINES }, make("a", { href: link("photos", new URLSearchParams({ [filter]: name })), title: shown(name) },
        bar, named("span", shorten(name), { class: "bar-name" }), make("span", { class: "bar-number", text: number(n), title: percent(n / Math.max(1, total)) }))));
    });
    section.append(make("h2", { text: title }), list);
    if (entries.length > MOST_LINES) {
      const more = make("button", { type: "button", class: "quiet", text: `All ${number(entries.length)}`, click: () => {
        for (const one of list.children) one.hidden = false;
        more.remove();
        list.children[MOST_LINES].firstElementChild.focus();
      } });
      section.append(more);
    }
    return section;
  }

  /** Photos by year, counted by the same filters that the links lead to. */
  async #drawYears(status, signal) {
    const from = Math.max(FIRST_YEAR, year(status.oldest) ?? 0), to = year(status.newest);
    if (!to || !year(status.oldest) || to <= from) return;
    const step = Math.max(1, Math.ceil((to - from + 1) / MOST_BARS));
    const spans = [];
    for (let first = from; first <= to; first += step) spans.push([first, Math.min(to, first + step - 1)]);
    try {
      const counts = await Promise.all(spans.map(async ([first, last]) => {
        const filters = { taken_from: `${first}-01-01`, taken_to: `${last}-12-31` };
        return { first, last, filters, n: (await read(`/api/images?${query({ ...filters, limit: 1 })}`, { signal })).total };
      }));
      const most = Math.max(1, ...counts.map(({ n }) => n)), list = make("ol", { class: "years" });
      for (const { first, last, filters, n } of counts) {
        const words = first === last ? String(first) : `${first} to ${last}`;
        const bar = make("span", { class: "year-fill" });
        bar.style.height = `${n ? Math.max(3, (100 * n) / most) : 0}%`;
        const inner = [make("span", { class: "year-room", "aria-hidden": "true" }, bar), make("span", { class: "year-name", "aria-hidden": "true", text: `’${String(first).slice(2)}` })];
        list.append(make("li", {}, n
          ? make("a", { href: link("photos", new URLSearchParams(filters)), "aria-label": `${words}: ${count(n, "photo")}`, title: `${words}: ${count(n, "photo")}` }, ...inner)
          : make("span", { class: "year-none" }, ...inner)));
      }
      this.years.replaceChildren(make("h2", { text: `Taken, ${from} to ${to}` }), list);
      this.years.hidden = false;
    } catch (error) {
      if (error.name === "AbortError") return;
      this.years.hidden = false;
      this.years.replaceChildren(failure(error));
    }
  }

  async #drawErrors(signal) {
    try {
      const { errors } = await read("/api/errors", { signal });
      const list = make("ul", { class: "errors" });
      const most = 200;
      for (const { path, reason } of errors.slice(0, most)) list.append(make("li", {}, named("span", path, { class: "error-path" }), named("span", reason, { class: "soft" })));
      this.errors.replaceChildren(make("h2", { text: `${count(errors.length, "file")} could not be read` }), list,
        ...(errors.length > most ? [make("p", { class: "soft" }, `The first ${most}; `, make("code", { text: "mobisearch errors" }), " lists all.")] : []));
    } catch (error) {
      if (error.name === "AbortError") return;
      this.errors.replaceChildren(failure(error, () => this.#drawErrors(signal)));
    }
    this.errors.hidden = false;
  }

  #about(status) {
    const oldest = status.oldest ? `The oldest photo is of ${taken(status.oldest)}, the newest of ${taken(status.newest)}. ` : "";
    const changing = status.is_read_only ? "The index is open for reading only: nothing can be decided or moved from this page."
      : status.may_trash ? "Copies can be moved to the trash from this page, after a summary, and be brought back."
        : "Photos are only ever read by this page; start “mobisearch serve” with --allow-trash to let it move copies to the trash.";
    return make("section", { class: "wide about" }, make("h2", { text: "This index" }),
      make("p", { class: "soft" }, oldest, changing),
      make("p", { class: "soft", text: `Looks are compared by ${shown(status.model.name)}, in ${number(status.model.dim)} values. mobisearch ${status.version}.` }));
  }
}
