// Saying what happened: to those who listen, at the foot of the page, and where it happened.

import { button, make } from "./dom.js";

const find = (id) => document.getElementById(id);
const SHOWN_MS = 6000;

/** Say something to screen readers; what was said before and not yet read is replaced. */
export function say(text) {
  find("said").textContent = text;
}

/** Show a message at the foot of the page for a while, with something to do about it if there is. */
export function tell(text, { isWrong = false, act = null, words = "" } = {}) {
  const toast = make("div", { class: isWrong ? "toast is-wrong" : "toast" }, make("span", { text }));
  const end = () => toast.remove();
  if (act) toast.append(button(words, () => { end(); act(); }));
  // A dialog makes what is outside of it inert: messages move into it while it is open.
  const dialogs = [...document.querySelectorAll("dialog[open]")];
  (dialogs.at(-1) ?? document.body).append(find("toasts"));
  find("toasts").replaceChildren(toast);
  find(isWrong ? "said-now" : "said").textContent = text;
  setTimeout(end, isWrong || act ? SHOWN_MS * 2 : SHOWN_MS);
}

/** Return a sentence about a failure for the place where it happened, with a way to try again. */
export function failure(error, again = null) {
  find("said-now").textContent = error.message;
  return make("div", { class: "failure" }, make("span", { text: error.message }), again && button("Try again", again));
}

/** Copy a text, and say so. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    tell(`${what} copied.`);
  } catch {
    tell("The browser does not allow copying here; mark the text instead.", { isWrong: true });
  }
}

/** Return a dialog that is in the page only while it is open. */
export function openDialog(name, title, ...children) {
  const heading = make("h2", { text: title, id: "dialog-title" });
  const dialog = make("dialog", { class: name, "aria-labelledby": "dialog-title" }, heading, ...children);
  dialog.addEventListener("close", () => {
    if (dialog.contains(find("toasts"))) document.body.append(find("toasts"));
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
