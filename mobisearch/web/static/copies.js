// The view "copies": looking for them, groups of them, and what is to become of each.

import { here } from "./address.js";
import { read, send } from "./api.js";
import { BULK, Choices } from "./choices.js";
import { compare } from "./comparing.js";
import { button, make, shown } from "./dom.js";
import { GroupList } from "./grouplist.js";
import { isTyping } from "./keys.js";
import * as live from "./live.js";
import { failure, say, tell } from "./messages.js";
import { makeHistory, review } from "./plans.js";
import { makeStart } from "./starting.js";
import { bytes, count, number } from "./wording.js";

const POLL_MS = 600;
const PER_PAGE = 200;
const SHOWN_AT_ONCE = 20;

/** Groups of copies, from looking for them to a plan. */
export class CopiesView {
  #ending = new AbortController();
  #timer = 0;
  #total = 0;

  constructor(main) {
    this.title = make("h1", { text: "Copies" });
    this.note = make("p", {});
    this.tools = make("div", { class: "head-tools" });
    this.room = make("div", {});
    this.list = new GroupList({
      set: (key, id, action) => this.#set(key, id, action), decide: (group, kind) => this.#decide(group, kind),
      compare: (group, member) => this.#compare(group, member), canDecide: () => this.#canDecide,
    });
    this.more = make("div", { class: "groups-more" });
    this.history = make("div", {});
    this.foot = make("div", { class: "copies-foot", role: "region", "aria-label": "What was chosen", hidden: true });
    main.replaceChildren(make("div", { class: "head" }, make("div", {}, this.title, this.note), this.tools), this.room, this.list.element, this.more, this.history, this.foot);
    const { signal } = this.#ending;
    addEventListener("keydown", (event) => this.#press(event), { signal });
    this.watching = new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) this.#showMore(); }, { rootMargin: "900px" });
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
    this.list.clear(new Choices());
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
    await this.#showMore();
    say(`${this.title.textContent}. ${this.note.textContent}`);
  }

  #bulk() {
    const select = make("select", { "aria-label": "Mark for the trash in all groups" }, make("option", { value: "", text: "Mark in all groups …" }));
    for (const [name, words] of BULK) select.append(make("option", { value: name, text: words }));
    select.append(make("option", { value: "none", text: "nothing" }));
    select.addEventListener("change", async () => {
      const rule = select.value;
      select.value = "";
      while (this.list.groups.length < this.#total) if (!(await this.#loadMore())) return;
      if (rule === "none") this.list.choices.resetAll();
      else this.list.choices.mark(rule);
      this.list.redrawAll();
      this.#count();
    });
    return select;
  }

  #clear() {
    this.#total = 0;
    this.list.clear();
    this.more.replaceChildren();
    this.foot.hidden = true;
    this.room.replaceChildren();
  }

  /** Show the next groups, and read them if they are not here; returns whether that went well. */
  async #showMore() {
    if (!this.list.hasMore && !(await this.#loadMore())) return false;
    this.list.showNext(SHOWN_AT_ONCE);
    this.#offerMore();
    return true;
  }

  #offerMore() {
    this.watching.disconnect();
    this.more.replaceChildren();
    if (!this.list.hasMore && this.list.groups.length >= this.#total) return;
    this.more.append(button(`Show more of ${count(this.#total, "group")}`, () => this.#showMore()));
    this.watching.observe(this.more);
  }

  /** Read the next groups; returns whether that went well. */
  #loadMore() {
    if (this.list.groups.length >= this.#total) return true;
    this.loading ??= this.#load().finally(() => { this.loading = null; });
    return this.loading;
  }

  async #load() {
    const { signal } = this.#ending;
    try {
      const before = this.list.groups.length;
      const page = await read(`/api/copies/groups?offset=${before}&limit=${PER_PAGE}`, { signal });
      this.#total = page.total;
      for (const group of page.groups) this.list.add(group);
      if (this.list.groups.length === before) this.#total = before; // the rest was cleared away meanwhile
      return true;
    } catch (error) {
      this.watching.disconnect();
      if (error.name !== "AbortError") this.more.replaceChildren(failure(error, () => this.#showMore()));
      return false;
    }
  }

  // ---- what is chosen

  get #canDecide() {
    return !(live.status()?.is_read_only ?? false);
  }

  #set(key, id, action) {
    if (!this.list.choices.set(key, id, action)) {
      tell("The picture that is kept cannot go, nor one that is protected or missing; keep another one first.");
      return;
    }
    this.list.redraw(key);
    this.#count();
  }

  async #decide(group, kind) {
    try {
      await send("/api/copies/decisions", { kind, images: group.images.map((member) => member.image.id) });
    } catch (error) {
      tell(error.message, { isWrong: true });
      return;
    }
    const next = this.list.remove(group);
    this.#total -= 1;
    this.title.textContent = this.#total ? count(this.#total, "group") : "No copies left";
    tell(kind === "different" ? "Remembered: these are no duplicates." : "Remembered: all of these stay.");
    if (next) this.list.focus(next.key, next.images[0].image.id);
    this.#count();
  }

  #compare(group, member) {
    compare(group, this.list.choices.kept(group.key), member, {
      choose: (action) => this.#set(group.key, member.image.id, action),
      closed: () => this.list.focus(group.key, member.image.id),
    });
  }

  #count() {
    const { pictures, bytes: freed } = this.list.choices?.totals() ?? { pictures: 0, bytes: 0 };
    this.foot.hidden = !pictures;
    if (!pictures) return;
    const words = `${count(pictures, "photo")} to the trash, ${bytes(freed)}`;
    this.foot.replaceChildren(make("span", {}, make("strong", { text: words })),
      button("Choose nothing", () => { this.list.choices.resetAll(); this.list.redrawAll(); this.#count(); }, { name: "quiet" }),
      button("See the plan", () => this.#plan(), { name: "primary" }));
    say(words);
  }

  #plan() {
    review(this.list.choices.body(), (report) => this.#done(report));
  }

  /** Something was moved, or brought back: what was found before is not all true any more. */
  async #done(report) {
    const gone = new Set(report.outcomes.filter((one) => one.state === "done").map((one) => `${one.folder}/${one.name}`));
    for (const group of [...this.list.groups]) {
      const left = group.images.filter(({ image }) => !gone.has(`${image.folder}/${image.name}`));
      if (left.length === group.images.length) continue;
      this.list.remove(group);
      this.#total -= 1;
    }
    this.#count();
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

  // ---- keys

  #press(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    if (document.querySelector("dialog[open]") || !this.list.groups.length || here().view !== "copies") return;
    const { current } = this.list;
    if (!current) return;
    const { group, member } = current, { key } = group, { id } = member.image, { choices } = this.list;
    const step = (groups, pictures) => () => { if (this.list.step(groups, pictures) < 4) this.#loadMore(); };
    const keys = {
      ArrowDown: step(1, 0), ArrowUp: step(-1, 0), ArrowRight: step(0, 1), ArrowLeft: step(0, -1),
      k: () => this.#set(key, id, "keep"), t: () => this.#set(key, id, "trash"), s: () => this.#set(key, id, "stay"),
      n: () => { if (this.#canDecide) this.#decide(group, "different"); else tell("The index is read-only: nothing can be remembered."); },
      u: () => { choices.reset(key); this.list.redraw(key); this.#count(); },
      d: () => this.#compare(group, member === choices.kept(key) ? group.images.find((one) => one !== member) : member),
    };
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  }
}
