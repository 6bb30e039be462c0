// The groups that are shown, one after another, and the keyboard's place among them.

import { isStill, make } from "./dom.js";
import { makeGroup } from "./groups.js";

/** Sections of groups. `handlers`: `set(key, id, action)`, `decide(group, kind)`, `compare(group, member)`, `canDecide()`. */
export class GroupList {
  #place = { key: null, id: null };

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
    this.#place = { key: null, id: null };
    this.element.replaceChildren();
  }

  /** Show a group after the others, unless it is here. */
  add(group) {
    if (this.find(group.key)) return;
    this.groups.push(group);
    this.choices.add(group);
    this.element.append(this.#make(group));
    if (!this.#place.key) this.#place = { key: group.key, id: group.images[0].image.id };
  }

  find(key) {
    return this.groups.find((group) => group.key === key) ?? null;
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
    this.#section(group.key)?.remove();
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
    const old = this.#section(key), group = this.find(key);
    if (!old || !group) return;
    const held = old.contains(document.activeElement) ? document.activeElement : null;
    const id = held?.closest(".member")?.dataset.id, action = held?.dataset.action;
    const made = this.#make(group);
    old.replaceWith(made);
    this.mark();
    if (!id) return;
    const figure = made.querySelector(`.member[data-id="${id}"]`);
    const same = action && figure.querySelector(`[data-action="${action}"]:not(:disabled)`);
    (same || figure).focus({ preventScroll: true });
  }

  redrawAll() {
    for (const group of this.groups) this.redraw(group.key);
  }

  #section(key) {
    return [...this.element.children].find((section) => section.dataset.key === key) ?? null;
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
    for (const section of this.element.children) {
      const isHere = section.dataset.key === this.#place.key;
      section.classList.toggle("is-current", isHere);
      for (const figure of section.querySelectorAll(".member")) {
        const isCurrent = isHere && Number(figure.dataset.id) === this.#place.id;
        for (const one of [figure, ...figure.querySelectorAll("button")]) one.tabIndex = isCurrent ? 0 : -1;
      }
      for (const one of section.querySelectorAll(".group-tools button")) one.tabIndex = isHere ? 0 : -1;
    }
  }

  /** Move the focus to a picture. */
  focus(key, id) {
    const figure = this.#section(key)?.querySelector(`.member[data-id="${id}"]`);
    if (!figure) return;
    figure.focus({ preventScroll: true });
    figure.scrollIntoView({ block: "nearest", behavior: isStill() ? "instant" : "smooth" });
  }

  /** Go some groups or some pictures on, or back; returns how many groups are left after. */
  step(groups, pictures) {
    const place = Math.max(0, this.groups.findIndex((group) => group.key === this.#place.key));
    const to = Math.min(this.groups.length - 1, Math.max(0, place + groups)), group = this.groups[to];
    const among = group.images.findIndex((member) => member.image.id === this.#place.id);
    const picture = groups ? 0 : Math.min(group.images.length - 1, Math.max(0, among + pictures));
    this.focus(group.key, group.images[picture].image.id);
    return this.groups.length - 1 - to;
  }
}
