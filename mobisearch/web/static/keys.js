// The keys, and the sheet that tells them.

import { button, make } from "./dom.js";
import { openDialog } from "./messages.js";

const SHEET = [
  ["Everywhere", [["/", "search with a picture"], ["Ctrl V", "search with what was copied"], ["1 – 4", "photos, map, copies, collection"], ["Esc", "close, or step back"], ["?", "this sheet"]]],
  ["Among photos", [["← ↑ ↓ →", "go from photo to photo"], ["Enter", "open"], ["m", "more like this"], ["a", "also like this (in a search)"], ["l", "less like this (in a search)"], ["Home End", "first, last"]]],
  ["In a photo", [["← →", "before, after"], ["b", "search by a part of it"], ["z", "look closely"], ["m", "more like this"], ["c", "copy the path"]]],
  ["On the part of a picture", [["← ↑ ↓ →", "move the box"], ["Shift ←→", "size it"], ["Del", "the whole picture again"]]],
  ["On the map", [["← ↑ ↓ →", "move"], ["+ −", "nearer, farther"], ["0", "everything"], ["Enter", "open the photo in the middle"]]],
  ["Among copies", [["↑ ↓", "group before, after"], ["← →", "picture before, after"], ["k", "keep it"], ["t", "to the trash"], ["s", "it stays as well"], ["n", "not duplicates"], ["d", "compare with the kept one"], ["u", "as it was proposed"]]],
];

/** Show all keys. */
export function openSheet() {
  const columns = make("div", { class: "keys-columns" });
  for (const [title, rows] of SHEET) {
    const list = make("dl", {});
    for (const [keys, words] of rows) list.append(make("div", {}, make("dt", {}, ...keys.split(" ").map((key) => (key === "–" ? make("span", { text: "–" }) : make("kbd", { text: key })))), make("dd", { text: words })));
    columns.append(make("section", {}, make("h3", { text: title }), list));
  }
  const dialog = openDialog("keys", "Keys", columns);
  const closing = button("Close", () => dialog.close());
  dialog.append(make("div", { class: "dialog-foot" }, closing));
  closing.focus();
}

/** Return whether somebody is writing, so that letters are letters. */
export const isTyping = (event) => Boolean(event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]"));

/** Let keys act anywhere, unless somebody writes or a dialog is open. */
export function listen(keys) {
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    if (document.querySelector("dialog[open]") || !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
}
