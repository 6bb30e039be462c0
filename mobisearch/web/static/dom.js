// Making elements. Data only ever becomes text or an attribute, never markup.

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  close: "M5 5l10 10M15 5L5 15",
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  more: "M3 8c2.3-2.6 4.6-2.6 7 0s4.7 2.6 7 0M3 13c2.3-2.6 4.6-2.6 7 0s4.7 2.6 7 0",
  less: "M3 8c2.3-2.6 4.6-2.6 7 0s4.7 2.6 7 0M3 13c2.3-2.6 4.6-2.6 7 0s4.7 2.6 7 0M15 3L5 18",
  part: "M6 2v12h12M2 6h12v12",
  sun: "M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM10 1.5v2M10 16.5v2M1.5 10h2M16.5 10h2M4 4l1.4 1.4M14.6 14.6L16 16M4 16l1.4-1.4M14.6 5.4L16 4",
  moon: "M16 12.5A7 7 0 0 1 7.5 4a7 7 0 1 0 8.5 8.5z",
  auto: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 3v14M12.5 4v12M15 5.5v9",
  help: "M7.5 7.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M10 14.5v.5M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15z",
  copy: "M7 7V4h9v9h-3M4 7h9v9H4z",
  left: "M12.5 4l-6 6 6 6",
  right: "M7.5 4l6 6-6 6",
  check: "M4 10.5l4 4 8-9",
  trash: "M4 6h12M8 6V4h4v2M5.5 6l.8 10.5h7.4L14.5 6M8.5 9v5M11.5 9v5",
  filter: "M3 5h14M6 10h8M8.5 15h3",
  fit: "M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4",
  info: "M10 9v5M10 6v.5M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15z",
  swap: "M4 7h11l-3-3M16 13H5l3 3",
  photos: "M3 4h8v12H3zM13 4h4v5h-4zM13 11h4v5h-4z",
  map: "M4 5.5h.01M8 12h.01M13 6.5h.01M11 15h.01M16 11h.01M6 16h.01M9 8h.01M16 16h.01",
  copies: "M7 7V3.5h9.5V13H13M3.5 7H13v9.5H3.5z",
  collection: "M3 17h14M5 17v-6h2v6M9 17V4h2v13M13 17V8h2v9",
};

/** Return an element. Of `values`, functions are listeners, the rest attributes; false and null are left out. */
export function make(tag, values = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(values)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") made.addEventListener(name, value);
    else if (name === "text") made.textContent = value;
    else if (name === "class") made.className = value;
    else if (name === "data") Object.assign(made.dataset, value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Return a drawing of twenty by twenty, which says nothing to those who cannot see it. */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 20 20");
  drawing.setAttribute("class", "icon");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  if (name === "map") path.setAttribute("class", "dots");
  drawing.append(path);
  return drawing;
}

/** Return a button with a drawing and words; with `isBare`, the words are its name and its hint only. */
export function button(words, act, { name = "", shape = "", isBare = false, ...values } = {}) {
  const made = make("button", { type: "button", class: name, ...values, click: act });
  if (shape) made.append(icon(shape));
  if (isBare) {
    made.setAttribute("aria-label", words);
    made.title = words;
    made.classList.add("icon-button");
  } else made.append(make("span", { text: words }));
  return made;
}

/** Return whether something moves only if it must. */
export const isStill = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Return a text from the disk as what it is: no character of it turns, hides or breaks anything. */
export function shown(text) {
  return String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u115f\u1160\u3164]/gu, (sign) => {
    const code = sign.codePointAt(0);
    if (code < 0x20) return String.fromCodePoint(0x2400 + code);
    return `\\u{${code.toString(16)}}`;
  });
}

/** Return an element with a text from the disk, whose direction does not reach what is beside it. */
export const named = (tag, text, values = {}) => make(tag, { ...values, dir: "auto", text: shown(text) });
