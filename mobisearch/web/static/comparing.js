// Two copies, looked at closely: side by side, one over the other, and where they differ.

import { preview } from "./api.js";
import { button, make, named } from "./dom.js";
import { say } from "./messages.js";
import { bytes, number } from "./wording.js";

const MODES = [["beside", "Side by side"], ["over", "One over the other"], ["difference", "Difference"]];
let lastMode = "beside";

/** Open the comparison of a picture with the one that is kept. `choose(action)` decides about it. */
export function compare(group, kept, member, { choose, closed }) {
  const room = make("div", { class: "compare-room" });
  const tabs = MODES.map(([mode, words]) => button(words, () => show(mode), { "aria-pressed": "false", data: { mode } }));
  const draw = { beside, over, difference };
  const show = (mode) => {
    lastMode = mode;
    for (const tab of tabs) tab.setAttribute("aria-pressed", String(tab.dataset.mode === mode));
    room.className = `compare-room is-${mode}`;
    room.replaceChildren(...draw[mode](group, kept, member));
    tabs.find((tab) => tab.dataset.mode === mode).focus(); // what had the focus may be gone
    say(MODES.find(([name]) => name === mode)[1]);
  };
  const take = (action) => () => { dialog.close(); choose(action); };
  const dialog = make("dialog", { class: "compare", "aria-label": "Comparison" },
    make("div", { class: "compare-head" }, make("div", { class: "modes", role: "group", "aria-label": "How to compare" }, ...tabs),
      make("span", { class: "soft", text: verdict(member) }),
      button("Close", () => dialog.close(), { shape: "close", isBare: true, name: "quiet" })),
    room,
    make("div", { class: "compare-foot" },
      button("Keep this one instead", take("keep"), { title: "k" }),
      button("To the trash", take("trash"), { disabled: member.is_protected || !member.image.is_there, shape: "trash", title: "t" }),
      button("Stays as well", take("stay"), { title: "s" })));
  dialog.addEventListener("close", () => { dialog.remove(); closed(); });
  dialog.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const next = () => show(MODES[(MODES.findIndex(([mode]) => mode === lastMode) + 1) % MODES.length][0]);
    const keys = { d: next, k: take("keep"), t: () => { if (!member.is_protected) take("trash")(); }, s: take("stay") };
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
  document.body.append(dialog);
  dialog.showModal();
  show(lastMode);
}

const facts = ({ image }) => `${number(image.width)} × ${number(image.height)} · ${bytes(image.size_bytes)}`;
const picture = (member, alt) => make("img", { src: preview(member.image.id), alt, draggable: "false" });
const caption = (words, member) => make("figcaption", {}, make("strong", { text: words }), named("span", member.image.name), make("span", { class: "soft small", text: facts(member) }));

function beside(group, kept, member) {
  return [[kept, "Kept"], [member, "Copy"]].map(([one, words]) => make("figure", {}, picture(one, words), caption(words, one)));
}

/** Return in words what a picture is to the one that was proposed to keep. */
export function verdict(member) {
  const { verdict: name, detail } = member;
  return !detail || detail === name ? name : detail.startsWith(name.slice(0, 4)) ? detail : `${name}: ${detail}`;
}

/** Turn a copy so that it lies as the kept one does, as far as quarter turns go. */
function lay(image, { turn_degrees: turn, is_mirrored: isMirrored }) {
  const quarter = Math.round((turn ?? 0) / 90) * 90;
  if (quarter % 180) image.classList.add("is-lying");
  if (quarter || isMirrored) image.style.transform = `${isMirrored ? "scaleX(-1) " : ""}rotate(${-quarter}deg)`;
}

function over(group, kept, member) {
  const below = picture(kept, "Kept"), above = picture(member, "Copy, over the kept one");
  above.className = "is-above";
  if (kept.is_kept) lay(above, member);
  const cut = make("div", { class: "is-cut" }, above);
  const slider = make("input", { type: "range", min: "0", max: "100", value: "50", "aria-label": "How much of the copy is seen" });
  const line = make("span", { class: "compare-line", "aria-hidden": "true" });
  const set = () => {
    cut.style.clipPath = `inset(0 0 0 ${slider.value}%)`;
    line.style.left = `${slider.value}%`;
  };
  slider.addEventListener("input", set);
  set();
  const stack = make("div", { class: "compare-stack" }, below, cut, line);
  stack.addEventListener("pointermove", (event) => {
    const area = stack.getBoundingClientRect();
    if (event.pointerType === "mouse" || event.buttons) {
      slider.value = String((100 * (event.clientX - area.left)) / area.width);
      set();
    }
  });
  return [stack, make("div", { class: "compare-slider" }, make("span", { class: "small", text: "Kept" }), slider, make("span", { class: "small", text: "Copy" }))];
}

function difference(group, kept, member) {
  // The server holds every picture of a group against the one that it proposed to keep.
  const other = kept.is_kept ? member : kept;
  const image = make("img", { src: `/api/copies/groups/${encodeURIComponent(group.key)}/difference?image=${other.image.id}`, alt: "Where the two differ: red; what only one of them shows: blue" });
  const note = make("figcaption", { class: "soft" }, kept.is_kept || member.is_kept
    ? "Red: they differ here. Blue: only one of them shows this. The rest is the same."
    : "Against the picture that was proposed to keep. Red: they differ here. Blue: only one shows this.");
  image.addEventListener("error", () => image.replaceWith(make("p", { class: "soft", text: "The difference cannot be shown: one of the two cannot be read now." })));
  return [make("figure", {}, image, note)];
}
