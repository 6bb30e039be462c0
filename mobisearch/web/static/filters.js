// The conditions that photos must meet: kept in the address, chosen from what the collection has.

import { button, make, shown } from "./dom.js";
import { bytes, number } from "./wording.js";

export const FILTERS = ["folder", "taken_from", "taken_to", "min_bytes", "max_bytes", "min_px", "format", "camera", "label"];
const MOST_YEARS = 60;
const SIZES = [["", "Any file size"], ["1000000-", "over 1 MB"], ["5000000-", "over 5 MB"], ["20000000-", "over 20 MB"], ["-500000", "under 500 kB"], ["-100000", "under 100 kB"]];
const SIDES = [["", "Any resolution"], ["800", "800 px or more"], ["1600", "1600 px or more"], ["3000", "3000 px or more"], ["6000", "6000 px or more"]];

/** Return those conditions of the address that are set, as the API takes them. */
export function readFilters(values) {
  const made = {};
  for (const name of FILTERS) {
    const value = values.get(name);
    if (value) made[name] = ["min_bytes", "max_bytes", "min_px"].includes(name) ? Math.max(0, Math.floor(Number(value)) || 0) : value;
  }
  return made;
}

/** Return a folder in few words: its last two parts. */
export function shortFolder(path) {
  const parts = path.split(/[\\/]/).filter(Boolean);
  return parts.length > 2 ? `… / ${parts.slice(-2).join(" / ")}` : path;
}

function choice(words, value, options, changed) {
  const select = make("select", { "aria-label": words, class: value ? "is-set" : "" });
  for (const [key, text] of options) select.append(make("option", { value: key, text }));
  if (value && ![...select.options].some((option) => option.value === value)) select.append(make("option", { value, text: shown(value) }));
  select.value = value;
  select.addEventListener("change", () => changed(select.value));
  return make("label", {}, select);
}

const counted = (found, first, shorten = (name) => name) =>
  [["", first], ...Object.entries(found ?? {}).map(([name, n]) => [name, `${shown(shorten(name))} (${number(n)})`])];

/**
 * Return the row of filters.
 *
 * `values` are those of the address, `status` what the collection has, `changed` gets what to set.
 */
export function makeFilters(values, status, changed) {
  const set = (name) => values.get(name) ?? "";
  const row = make("div", { class: "filters", role: "group", "aria-label": "Filters" });
  const isAny = FILTERS.some((name) => set(name));
  const toggle = button(isAny ? "Filters are set" : "Filters", () => {
    toggle.setAttribute("aria-expanded", String(row.classList.toggle("is-open")));
  }, { name: "filters-toggle", shape: "filter", "aria-expanded": "false" });
  row.append(toggle);
  const add = (words, name, options) => row.append(choice(words, set(name), options, (value) => changed({ [name]: value })));
  add("Folder", "folder", counted(status.folders, "Any folder", shortFolder));
  if (Object.keys(status.labels ?? {}).length) add("Label", "label", counted(status.labels, "Any label"));
  row.append(...makeTimes(set, status, changed));
  const size = set("min_bytes") || set("max_bytes") ? `${set("min_bytes")}-${set("max_bytes")}` : "";
  const sizes = SIZES.some(([key]) => key === size) ? SIZES : [...SIZES, [size, sizeWords(set("min_bytes"), set("max_bytes"))]];
  row.append(choice("File size", size, sizes, (value) => {
    const [least, most] = value.split("-");
    changed({ min_bytes: least ?? "", max_bytes: most ?? "" });
  }));
  add("Resolution", "min_px", SIDES);
  if (Object.keys(status.formats ?? {}).length > 1 || set("format")) add("Format", "format", counted(status.formats, "Any format"));
  if (Object.keys(status.cameras ?? {}).length || set("camera")) add("Camera", "camera", counted(status.cameras, "Any camera"));
  if (isAny) {
    row.append(button("Clear filters", () => changed(Object.fromEntries(FILTERS.map((name) => [name, ""]))), { name: "quiet filters-clear", shape: "close" }));
  }
  return row;
}

/** Return the choice of a year, and of two dates if neither a year nor nothing is meant. */
function makeTimes(set, status, changed) {
  const from = set("taken_from"), to = set("taken_to");
  const year = /^(\d{4})-01-01$/.exec(from)?.[1], isYear = year !== undefined && to === `${year}-12-31`;
  const [first, last] = [status.oldest, status.newest].map((text) => Number(/^\d{4}/.exec(text ?? "")?.[0]));
  const options = [["", "Any time"]];
  for (let one = last; one >= Math.max(first, last - MOST_YEARS); one--) options.push([String(one), String(one)]);
  options.push(["dates", "From … to …"]);
  const date = (words, name) => {
    const field = make("input", { type: "date", "aria-label": `Taken ${words}`, value: set(name).slice(0, 10), class: set(name) ? "is-set" : "" });
    field.addEventListener("change", () => changed({ [name]: field.value }));
    return make("label", {}, make("span", { text: words, "aria-hidden": "true" }), field);
  };
  const dates = make("div", { class: "dates", hidden: isYear || !(from || to) }, date("from", "taken_from"), date("to", "taken_to"));
  const chosen = isYear ? year : from || to ? "dates" : "";
  const when = choice("Taken", chosen, options, (value) => {
    if (value === "dates") {
      dates.hidden = false;
      dates.querySelector("input").focus();
    } else changed({ taken_from: value && `${value}-01-01`, taken_to: value && `${value}-12-31` });
  });
  return [when, dates];
}

function sizeWords(least, most) {
  if (least && most) return `${bytes(Number(least))} to ${bytes(Number(most))}`;
  return least ? `over ${bytes(Number(least))}` : `under ${bytes(Number(most))}`;
}
