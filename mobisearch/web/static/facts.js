// What is known of a photo, as a list.

import { button, make, named, shown } from "./dom.js";
import { copy } from "./messages.js";
import { bytes, moment, path, pixels, place, taken } from "./wording.js";

/** Return the list of facts of a photo; labels lead to what else has them, through `go(name, value)`. */
export function makeFacts(image, go) {
  const list = make("dl", { class: "facts" });
  const add = (words, ...values) => list.append(make("div", {}, make("dt", { text: words }), make("dd", {}, ...values)));
  const where = named("span", image.folder, { class: "path" });
  add("Folder", make("button", { type: "button", class: "plain", title: "Show this folder", click: () => go("folder", image.folder) }, where),
    button("Copy the path", () => copy(path(image), "Path"), { shape: "copy", isBare: true, name: "quiet" }));
  if (!image.is_there) add("State", make("strong", { class: "gone", text: "The file is not there now" }));
  if (image.taken_at) add("Taken", taken(image.taken_at));
  add("Changed", moment(image.mtime));
  add("Size", `${pixels(image.width, image.height)}`, make("br"), `${bytes(image.size_bytes)} ${shown(image.format)}`);
  if (image.camera) add("Camera", named("span", image.camera));
  if (image.latitude !== null && image.longitude !== null && image.latitude !== undefined) add("Position", place(image.latitude, image.longitude));
  if (image.labels?.length) {
    add("Labels", make("span", { class: "labels" }, ...image.labels.map((label) => {
      const name = typeof label === "string" ? label : label.name;
      return make("button", { type: "button", class: "label", dir: "auto", text: shown(name), click: () => go("label", name) });
    })));
  }
  add("SHA-256", make("code", { class: "hash", text: `${image.sha256.slice(0, 12)}…`, title: image.sha256 }),
    button("Copy the SHA-256", () => copy(image.sha256, "SHA-256"), { shape: "copy", isBare: true, name: "quiet" }));
  return list;
}
