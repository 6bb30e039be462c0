// Before copies are looked for: what to look for, in few words.

import { button, make, shown } from "./dom.js";
import { shortFolder } from "./filters.js";
import { count } from "./wording.js";

const BEST = ["original", "largest", "raw", "richest", "finest", "oldest", "shortest-path"];
const RULES = [
  ["best", "the best one: most pixels, most facts, least compressed", BEST],
  ["oldest", "the oldest", ["oldest", ...BEST.filter((rule) => rule !== "oldest")]],
  ["newest", "the newest", ["newest", ...BEST.filter((rule) => rule !== "oldest")]],
  ["smallest", "the one with fewest bytes", ["original", "smallest", "raw", "richest", "oldest", "shortest-path"]],
  ["shortest", "the one with the shortest path", ["shortest-path", ...BEST.filter((rule) => rule !== "shortest-path")]],
];

/** Return the form; `begin` gets the settings as the API takes them. */
export function makeStart(status, begin) {
  const rule = make("select", { id: "copies-rule" }, ...RULES.map(([value, text]) => make("option", { value, text })));
  const protect = make("select", { id: "copies-protect" }, make("option", { value: "", text: "no folder" }),
    ...Object.keys(status.folders ?? {}).map((folder) => make("option", { value: folder, text: shown(shortFolder(folder)), title: shown(folder) })));
  const form = make("form", { class: "start" },
    make("h2", { text: "Which photos are copies of one another?" }),
    make("p", { class: "soft", text: `All ${count(status.images ?? 0, "photo")} are compared: the same file, the same pixels, resized, recompressed, cropped, turned, retouched. Nothing is changed by looking.` }),
    make("label", { for: "copies-rule" }, make("span", { text: "Of several, propose to keep" }), rule),
    make("label", { for: "copies-protect" }, make("span", { text: "Never touch anything in" }), protect),
    make("div", {}, button("Look for copies", () => form.requestSubmit(), { name: "primary", shape: "copies" })));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    begin({ keep: RULES.find(([name]) => name === rule.value)[2], protect: protect.value ? [protect.value] : [] });
  });
  return form;
}
