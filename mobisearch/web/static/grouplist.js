// The groups that are shown, one after another, and the keyboard's place among them.

import { isStill, make } from "./dom.js";
import { makeGroup } from "./groups.js";

const STEP = 20;

/** Sections of groups. `handlers`: `set(key, id, action)`, `decide(group, kind)`, `compare(group, member)`, `canDecide()`. */
export class GroupList {
  #place = { key: null, id: null };
  #sections = new Map();
  #byKey = new Map();
  #marked = null;

  constructor(handlers) {
    this.handlers = handlers;
    this.element = make("div", { class: "groups", focusin: (event) => this.#enter(event) });
    this.groups = [];
    this.choices = null;
  }

  /** Show none, and take other choices from now on. */
  clear(choices = null) {
    this.choices = choices;
    this.groups = [];
    this.#byKey.clear();
    this.#sections.clear();
    this.#place = { key: null, id: null };
    this.element.replaceChildren();
  }

  /** Take a group after the others, unless it is here; it is in the page only once it is shown. */
  add(group) {
    if (this.find(group.key)) return;
    this.groups.push(group);
    this.#byKey.set(group.key, group);
    this.choices.add(group);
    if (!this.#place.key) this.#place = { key: group.key, id: group.images[0].image.id };
  }

  /** Whether groups are here that are not in the page yet. */
  get hasMore() {
    return this.#sections.size < this.groups.length;
  }

  /** Put some more of the groups that are here into the page. */
  showNext(count) {
    const from = this.#sections.size;
    for (const group of this.groups.slice(from, from + count)) {
      const section = this.#make(group);
      this.#sections.set(group.key, section);
      this.element.append(section);
    }
    this.mark();
  }

  find(key) {
    return this.#byKey.get(key) ?? null;
  }

  /** The group where the keyboard is, and the picture in it; null if there is none. */
  get current() {
    const group = this.find(this.#place.key);
    const member = group?.images.find((one) => one.image.id === this.#place.id);
    return member ? { group, member } : null;
  }

  /** Take a group away, and return one that is beside it. */
  remove(group) {
    const place = this.groups.indexOf(group), next = this.groups[place + 1] ?? this.groups[place - 1] ?? null;
    this.groups.splice(place, 1);
    this.choices.remove(group.key);
    this.#byKey.delete(group.key);
    this.#sections.get(group.key)?.remove();
    this.#sections.delete(group.key);
    if (this.#place.key === group.key) this.#place = next ? { key: next.key, id: next.images[0].image.id } : { key: null, id: null };
    this.mark();
    return next;
  }

  #make(group) {
    const { set, decide, compare, canDecide } = this.handlers;
    return makeGroup(group, this.choices, { canDecide: canDecide(), handlers: {
      set: (id, action) => set(group.key, id, action), decide: (kind) => decide(group, kind), compare: (member) => compare(group, member),
    } });
  }

  /** Draw a group again, with the focus where it was. */
  redraw(key) {
    const old = this.#sections.get(key), group = this.find(key);
    if (!old || !group) return;
    const held = old.contains(document.activeElement) ? document.activeElement : null;
    const id = held?.closest(".member")?.dataset.id, action = held?.dataset.action;
    const made = this.#make(group);
    this.#sections.set(key, made);
    old.replaceWith(made);
    this.mark();
    if (!id) return;
    const figure = made.querySelector(`.member[data-id="${id}"]`);
    const same = action && figure.querySelector(`[data-action="${action}"]:not(:disabled)`);
    (same || figure).focus({ preventScroll: true });
  }

  redrawAll() {
    for (const key of this.#sections.keys()) this.redraw(key);
  }

  #enter(event) {
    const section = event.target.closest(".group"), figure = event.target.closest(".member");
    if (!section) return;
    const { key } = section.dataset;
    if (figure) this.#place = { key, id: Number(figure.dataset.id) };
    else if (this.#place.key !== key) this.#place = { key, id: this.find(key).images[0].image.id };
    this.mark();
  }

  /** Of all pictures and buttons, let only those be reached by Tab that are where the keyboard is. */
  mark() {
    const now = this.#sections.get(this.#place.key);
    for (const section of new Set([this.#marked, now])) {
      if (!section) continue;
      const isHere = section === now;
      section.classList.toggle("is-current", isHere);
      for (const figure of section.querySelectorAll(".member")) {
        const isCurrent = isHere && Number(figure.dataset.id) === this.#place.id;
        for (const one of [figure, ...figure.querySelectorAll("button")]) one.tabIndex = isCurrent ? 0 : -1;
      }
      for (const one of section.querySelectorAll(".group-tools button")) one.tabIndex = isHere ? 0 : -1;
    }
    this.#marked = now;
  }

  /** Move the focus to a picture. */
  focus(key, id) {
    const figure = this.#sections.get(key)?.querySelector(`.member[data-id="${id}"]`);
    if (!figure) return;
    figure.focus({ preventScroll: true });
    figure.scrollIntoView({ block: "nearest", behavior: isStill() ? "instant" : "smooth" });
  }

  /** Go some groups or some pictures on, or back; returns how many groups are left after. */
  step(groups, pictures) {
    const place = Math.max(0, this.groups.findIndex((group) => group.key === this.#place.key));
    const to = Math.min(this.groups.length - 1, Math.max(0, place + groups)), group = this.groups[to];
    const among = group.images.findIndex((member) => member.image.id === this.#place.id);
    if (!this.#sections.has(group.key)) this.showNext(STEP);
    const picture = groups ? 0 : Math.min(group.images.length - 1, Math.max(0, among + pictures));
    this.focus(group.key, group.images[picture].image.id);
    return this.groups.length - 1 - to;
  }
}
