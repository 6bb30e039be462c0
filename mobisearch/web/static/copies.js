// The view "copies": looking for them, groups of them, and what is to become of each.

import { here } from "./address.js";
import { read, send } from "./api.js";
import { BULK, Choices } from "./choices.js";
import { compare } from "./comparing.js";
import { button, isStill, make, shown } from "./dom.js";
import { makeGroup } from "./groups.js";
import { isTyping } from "./keys.js";
import * as live from "./live.js";
import { failure, say, tell } from "./messages.js";
import { makeHistory, review } from "./plans.js";
import { makeStart } from "./starting.js";
import { bytes, count, number } from "./wording.js";

const POLL_MS = 600;
const PER_PAGE = 40;

/** Groups of copies, with the keyboard's place among them. */
export class CopiesView {
  #ending = new AbortController();
  #timer = 0;
  #groups = [];
  #total = 0;
  #place = { key: null, id: null };

  constructor(main) {
    this.title = make("h1", { text: "Copies" });
    this.note = make("p", {});
    this.tools = make("div", { class: "head-tools" });
    this.room = make("div", {});
    this.list = make("div", { class: "groups" });
    this.more = make("div", { class: "groups-more" });
    this.history = make("div", {});
    this.foot = make("div", { class: "copies-foot", role: "region", "aria-label": "What was chosen", hidden: true });
    main.replaceChildren(make("div", { class: "head" }, make("div", {}, this.title, this.note), this.tools), this.room, this.list, this.more, this.history, this.foot);
    const { signal } = this.#ending;
    addEventListener("keydown", (event) => this.#press(event), { signal });
    this.list.addEventListener("focusin", (event) => this.#enter(event));
    this.watching = new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) this.#loadMore(); }, { rootMargin: "900px" });
  }

  end() {
    this.#ending.abort();
    clearTimeout(this.#timer);
    this.watching.disconnect();
  }

  update() {
    if (this.isBegun) return;
    this.isBegun = true;
    this.#look();
    this.#drawHistory();
  }

  // ---- how the search stands

  async #look() {
    try {
      const state = await read("/api/copies", { signal: this.#ending.signal });
      if (state.state === "running") this.#wait(state);
      else if (state.state === "ready") await this.#show(state);
      else this.#offer(state);
    } catch (error) {
      if (error.name !== "AbortError") this.room.replaceChildren(failure(error, () => this.#look()));
    }
  }

  #offer(state = {}) {
    this.#clear();
    this.title.textContent = "Copies";
    this.note.textContent = "";
    this.tools.replaceChildren();
    this.room.replaceChildren(...(state.error ? [failure(new Error(state.error))] : []), makeStart(live.status() ?? {}, (settings) => this.#begin(settings)));
  }

  async #begin(settings) {
    try {
      this.#clear();
      this.#wait(await send("/api/copies", settings));
    } catch (error) {
      this.room.prepend(failure(error));
    }
  }

  #wait(state) {
    if (!this.progress?.isConnected) {
      this.progress = make("progress", { max: "1", "aria-label": "Looking for copies" });
      this.step = make("p", {});
      this.tools.replaceChildren();
      this.room.replaceChildren(make("div", { class: "nothing" }, make("h2", { text: "Looking for copies" }), this.progress, this.step,
        button("Stop", async () => { await send("/api/copies", null, { method: "DELETE" }).catch((error) => tell(error.message, { isWrong: true })); })));
      say("Looking for copies.");
    }
    if (state.total) this.progress.value = state.done / state.total;
    else this.progress.removeAttribute("value");
    this.step.textContent = `${shown(state.step || "beginning")}${state.total ? ` · ${number(state.done)} of ${number(state.total)}` : ""}`;
    this.#timer = setTimeout(() => this.#look(), POLL_MS);
  }

  async #show(state) {
    this.#clear();
    this.choices = new Choices();
    this.state = state;
    this.#total = state.groups;
    this.title.textContent = state.groups ? count(state.groups, "group") : "No copies";
    this.note.textContent = state.groups ? `${count(state.copies, "copy", "copies")}, up to ${bytes(state.reclaimable_bytes)} to be freed · among ${count(state.images, "photo")}` : `Among ${count(state.images, "photo")} no picture is a copy of another.`;
    document.title = `${this.title.textContent} – mobisearch`;
    const lines = [...state.warnings.map((line) => make("p", { class: "notice", text: shown(line) })),
      ...(state.is_stale ? [make("p", { class: "notice", text: "The collection has changed since. What is no longer true is refused when the plan is made; look again to see it all." })] : [])];
    this.room.replaceChildren(...lines);
    this.tools.replaceChildren(button("Look again", () => this.#offer(), { name: "quiet" }));
    if (state.groups) this.tools.prepend(this.#bulk());
    await this.#loadMore();
    say(`${this.title.textContent}. ${this.note.textContent}`);
  }

  #bulk() {
    const select = make("select", { "aria-label": "Mark for the trash in all groups" }, make("option", { value: "", text: "Mark in all groups …" }));
    for (const [name, words] of BULK) select.append(make("option", { value: name, text: words }));
    select.append(make("option", { value: "none", text: "nothing" }));
    select.addEventListener("change", async () => {
      const rule = select.value;
      select.value = "";
      try {
        while (this.#groups.length < this.#total) await this.#loadMore();
      } catch (error) {
        tell(error.message, { isWrong: true });
        return;
      }
      if (rule === "none") this.choices.resetAll();
      else this.choices.mark(rule);
      for (const group of this.#groups) this.#redraw(group.key);
      this.#count();
    });
    return select;
  }

  #clear() {
    this.#groups = [];
    this.#total = 0;
    this.#place = { key: null, id: null };
    this.list.replaceChildren();
    this.more.replaceChildren();
    this.foot.hidden = true;
    this.room.replaceChildren();
  }

  async #loadMore() {
    if (this.loading) return this.loading;
    if (this.#groups.length >= this.#total) return;
    this.loading = this.#load();
    try {
      await this.loading;
    } finally {
      this.loading = null;
    }
  }

  async #load() {
    const { signal } = this.#ending;
    try {
      const page = await read(`/api/copies/groups?offset=${this.#groups.length}&limit=${PER_PAGE}`, { signal });
      this.#total = page.total;
      const known = new Set(this.#groups.map((group) => group.key));
      for (const group of page.groups) {
        if (known.has(group.key)) continue;
        this.#groups.push(group);
        this.choices.add(group);
        this.list.append(this.#make(group));
      }
      if (!page.groups.length) this.#total = this.#groups.length;
      if (!this.#place.key && this.#groups.length) this.#place = { key: this.#groups[0].key, id: this.#groups[0].images[0].image.id };
      this.#mark();
      this.more.replaceChildren();
      this.watching.disconnect();
      if (this.#groups.length < this.#total) {
        this.more.append(button(`Show more of ${count(this.#total, "group")}`, () => this.#loadMore()));
        this.watching.observe(this.more);
      }
    } catch (error) {
      if (error.name === "AbortError") return;
      this.more.replaceChildren(failure(error, () => this.#loadMore()));
      this.#total = this.#groups.length;
    }
  }

  // ---- groups

  get #canDecide() {
    return !(live.status()?.is_read_only ?? false);
  }

  #make(group) {
    return makeGroup(group, this.choices, { canDecide: this.#canDecide, handlers: {
      set: (id, action) => this.#set(group.key, id, action),
      decide: (kind) => this.#decide(group, kind),
      compare: (member) => this.#compare(group, member),
    } });
  }

  #redraw(key) {
    const old = this.#section(key), group = this.#groups.find((one) => one.key === key);
    if (!old || !group) return;
    const held = old.contains(document.activeElement) ? document.activeElement : null;
    const id = held?.closest(".member")?.dataset.id, action = held?.dataset.action;
    const made = this.#make(group);
    old.replaceWith(made);
    this.#mark();
    if (id) {
      const figure = made.querySelector(`.member[data-id="${id}"]`);
      const same = action && figure.querySelector(`[data-action="${action}"]:not(:disabled)`);
      (same || figure).focus({ preventScroll: true });
    }
  }

  #section(key) {
    return [...this.list.children].find((section) => section.dataset.key === key) ?? null;
  }

  #set(key, id, action) {
    if (!this.choices.set(key, id, action)) {
      tell("The picture that is kept cannot go, nor one that is protected or missing; keep another one first.");
      return;
    }
    this.#redraw(key);
    this.#count();
  }

  async #decide(group, kind) {
    try {
      await send("/api/copies/decisions", { kind, images: group.images.map((member) => member.image.id) });
    } catch (error) {
      tell(error.message, { isWrong: true });
      return;
    }
    const place = this.#groups.indexOf(group), next = this.#groups[place + 1] ?? this.#groups[place - 1];
    this.#groups.splice(place, 1);
    this.#total -= 1;
    this.choices.remove(group.key);
    this.#section(group.key).remove();
    this.title.textContent = this.#total ? count(this.#total, "group") : "No copies left";
    tell(kind === "different" ? "Remembered: these are no duplicates." : "Remembered: all of these stay.");
    if (next) this.#focus(next.key, next.images[0].image.id);
    this.#count();
  }

  #compare(group, member) {
    const kept = this.choices.kept(group.key);
    compare(group, kept, member, {
      choose: (action) => this.#set(group.key, member.image.id, action),
      closed: () => this.#focus(group.key, member.image.id),
    });
  }

  #count() {
    const { pictures, bytes: freed } = this.choices.totals();
    this.foot.hidden = !pictures;
    if (!pictures) return;
    const words = `${count(pictures, "photo")} to the trash, ${bytes(freed)}`;
    this.foot.replaceChildren(make("span", {}, make("strong", { text: words })),
      button("Choose nothing", () => { this.choices.resetAll(); for (const group of this.#groups) this.#redraw(group.key); this.#count(); }, { name: "quiet" }),
      button("See the plan", () => this.#plan(), { name: "primary" }));
    say(words);
  }

  #plan() {
    review(this.choices.body(), (report) => this.#done(report));
  }

  /** Something was moved, or brought back: what was found before is not all true any more. */
  async #done(report) {
    const gone = new Set(report.outcomes.filter((one) => one.state === "done").map((one) => `${one.folder}/${one.name}`));
    for (const group of [...this.#groups]) {
      const left = group.images.filter(({ image }) => !gone.has(`${image.folder}/${image.name}`));
      if (left.length === group.images.length) continue;
      this.choices.remove(group.key);
      this.#section(group.key)?.remove();
      this.#groups.splice(this.#groups.indexOf(group), 1);
      this.#total -= 1;
    }
    if (this.choices) this.#count();
    this.title.textContent = this.#total ? count(this.#total, "group") : "Copies";
    this.note.textContent = "Something was moved since: look again to see how it stands.";
    await this.#drawHistory();
  }

  async #drawHistory() {
    try {
      const made = await makeHistory((report) => this.#done(report), this.#ending.signal);
      this.history.replaceChildren(...(made ? [made] : []));
    } catch (error) {
      if (error.name !== "AbortError") this.history.replaceChildren(failure(error, () => this.#drawHistory()));
    }
  }

  // ---- the keyboard's place

  #enter(event) {
    const section = event.target.closest(".group"), figure = event.target.closest(".member");
    if (!section) return;
    const id = figure ? Number(figure.dataset.id) : this.#place.key === section.dataset.key ? this.#place.id : this.#groups.find((group) => group.key === section.dataset.key).images[0].image.id;
    this.#place = { key: section.dataset.key, id };
    this.#mark();
  }

  #mark() {
    for (const section of this.list.children) {
      const isHere = section.dataset.key === this.#place.key;
      section.classList.toggle("is-current", isHere);
      for (const figure of section.querySelectorAll(".member")) {
        const isCurrent = isHere && Number(figure.dataset.id) === this.#place.id;
        figure.tabIndex = isCurrent ? 0 : -1;
        for (const one of figure.querySelectorAll("button")) one.tabIndex = isCurrent ? 0 : -1;
      }
      for (const one of section.querySelectorAll(".group-tools button")) one.tabIndex = isHere ? 0 : -1;
    }
  }

  #focus(key, id) {
    const figure = this.#section(key)?.querySelector(`.member[data-id="${id}"]`);
    if (!figure) return;
    figure.focus({ preventScroll: true });
    figure.scrollIntoView({ block: "nearest", behavior: isStill() ? "instant" : "smooth" });
  }

  #step(groups, pictures) {
    const place = Math.max(0, this.#groups.findIndex((group) => group.key === this.#place.key));
    const group = this.#groups[Math.min(this.#groups.length - 1, Math.max(0, place + groups))];
    const among = group.images.findIndex((member) => member.image.id === this.#place.id);
    const to = groups ? 0 : Math.min(group.images.length - 1, Math.max(0, among + pictures));
    this.#focus(group.key, group.images[to].image.id);
    if (place > this.#groups.length - 4) this.#loadMore();
  }

  #press(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    if (document.querySelector("dialog[open]") || !this.#groups.length || here().view !== "copies") return;
    const { key, id } = this.#place, group = this.#groups.find((one) => one.key === key);
    if (!group) return;
    const member = group.images.find((one) => one.image.id === id);
    const keys = {
      ArrowDown: () => this.#step(1, 0), ArrowUp: () => this.#step(-1, 0), ArrowRight: () => this.#step(0, 1), ArrowLeft: () => this.#step(0, -1),
      k: () => this.#set(key, id, "keep"), t: () => this.#set(key, id, "trash"), s: () => this.#set(key, id, "stay"),
      n: () => { if (this.#canDecide) this.#decide(group, "different"); else tell("The index is read-only: nothing can be remembered."); },
      u: () => { this.choices.reset(key); this.#redraw(key); this.#count(); },
      d: () => this.#compare(group, member === this.choices.kept(key) ? group.images.find((one) => one !== member) : member),
    };
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  }
}
