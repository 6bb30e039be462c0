// One group of copies: its pictures side by side, with what was found out and what is to become of them.

import { thumbnail } from "./api.js";
import { change } from "./address.js";
import { verdict } from "./comparing.js";
import { button, make, named, shown } from "./dom.js";
import { shortFolder } from "./filters.js";
import { bytes, count, number, score } from "./wording.js";

const STATES = { keep: "Kept", trash: "To the trash", stay: "Stays" };

/** Return the section of a group. `handlers`: `set(id, action)`, `decide(kind)`, `compare(member)`, `reset()`. */
export function makeGroup(group, choices, { canDecide, handlers }) {
  const titleId = `group-${group.key}`;
  const section = make("section", { class: group.images.length > 2 ? "group is-wide" : "group", "aria-labelledby": titleId, data: { key: group.key } });
  const freed = group.images.filter((member) => choices.of(group.key, member.image.id) === "trash").reduce((sum, member) => sum + member.image.size_bytes, 0);
  const isOneFile = group.images.every((member) => member.image.sha256 === group.images[0].image.sha256);
  const whyNot = canDecide ? "They are the same file, byte for byte" : "The index is read-only";
  const tools = make("div", { class: "group-tools" },
    button("Not duplicates", () => handlers.decide("different"), { tabindex: "-1", disabled: !canDecide || isOneFile, title: canDecide && !isOneFile ? "They are different pictures: remember that (n)" : whyNot }),
    button("Keep all", () => handlers.decide("keep"), { tabindex: "-1", disabled: !canDecide, title: canDecide ? "They are copies, and all of them stay: remember that" : "The index is read-only" }));
  section.append(make("div", { class: "group-head" },
    make("h2", { id: titleId, text: `${count(group.images.length, "picture")}` }),
    make("span", { class: "soft", text: freed ? `${bytes(freed)} will be freed` : `up to ${bytes(group.reclaimable_bytes)} to be freed` }), tools));
  const list = make("div", { class: "group-pictures" });
  for (const member of group.images) list.append(makeMember(group, member, choices, handlers));
  section.append(list);
  return section;
}

function makeMember(group, member, choices, handlers) {
  const { image } = member, state = choices.of(group.key, image.id), kept = choices.kept(group.key);
  const figure = make("figure", { class: `member is-${state}`, tabindex: "-1", data: { id: image.id }, "aria-label": `${shown(image.name)}: ${STATES[state]}` });
  const picture = make("img", { src: thumbnail(image.id, 512), alt: "", loading: "lazy", draggable: "false" });
  picture.addEventListener("error", () => picture.replaceWith(make("span", { class: "soft", text: "cannot be shown" })));
  const frame = make("button", { type: "button", class: "member-picture plain", tabindex: "-1", "aria-label": "Open", click: () => change({ photo: image.id }) }, picture, make("span", { class: `state is-${state}`, "aria-hidden": "true", text: STATES[state] }));
  const facts = make("p", { class: "small soft" }, fact(`${number(image.width)} × ${number(image.height)}`, image.width * image.height - kept.image.width * kept.image.height), " · ", fact(bytes(image.size_bytes), image.size_bytes - kept.image.size_bytes), ` · ${shown(image.format)}`);
  const caption = make("figcaption", {}, named("strong", image.name), named("span", shortFolder(image.folder), { class: "small soft member-folder", title: shown(image.folder) }), facts);
  const isProposed = member.is_kept;
  caption.append(make("p", { class: "member-verdict" }, isProposed ? "proposed to keep" : `${verdict(member)} · ${score(member.score)}`));
  if (member.reason) caption.append(make("p", { class: "small soft", text: shown(member.reason) }));
  if (member.is_protected) caption.append(make("p", { class: "small", text: "In a protected folder: it always stays." }));
  const act = (action, words, isOff = false) => button(words, () => handlers.set(image.id, action), { name: `act is-${action}`, "aria-pressed": String(state === action), tabindex: "-1", disabled: isOff, data: { action } });
  const actions = make("div", { class: "member-actions", role: "group", "aria-label": `What becomes of ${shown(image.name)}` },
    act("keep", "Keep"), act("trash", "Trash", state === "keep" || member.is_protected || !image.is_there), act("stay", "Stays", state === "keep"));
  if (member !== kept) actions.append(button("Compare with the kept one", () => handlers.compare(member), { shape: "swap", isBare: true, name: "quiet", tabindex: "-1" }));
  caption.append(actions);
  figure.append(frame, caption);
  return figure;
}

/** Return a fact, marked if it is less than that of the picture that is kept. */
const fact = (text, more) => make("span", { class: more < 0 ? "is-less" : more > 0 ? "is-more" : "", text });
