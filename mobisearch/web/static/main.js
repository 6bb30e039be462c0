// The frame around the views: which one is shown, what is always there, and the keys.

import { follow, go, here, start } from "./address.js";
import { CollectionView } from "./collection.js";
import { CopiesView } from "./copies.js";
import { button, icon, make } from "./dom.js";
import { listen, openSheet } from "./keys.js";
import * as live from "./live.js";
import { MapView } from "./map.js";
import { failure } from "./messages.js";
import { PhotosView, readLikes, searchValues } from "./photos.js";
import { takePictures } from "./uploading.js";
import { enlargeQuery, Viewer } from "./viewer.js";
import { count, number } from "./wording.js";

const find = (id) => document.getElementById(id);
const TITLES = { photos: "Photos", search: "Search", map: "Map", copies: "Copies", collection: "Collection" };
const THEMES = { auto: ["Colours: as the system", "auto"], light: ["Colours: light", "sun"], dark: ["Colours: dark", "moon"] };
const main = find("main");
let view = null, viewName = "";

const choose = takePictures((keys) => {
  const { view: name, values } = here();
  const [likes, unlikes] = name === "search" && isAdding ? readLikes(values) : [[], []];
  isAdding = false;
  const made = searchValues([...likes, ...keys.map((query) => ({ query }))], unlikes, ["search", "photos"].includes(name) ? values : new URLSearchParams());
  go("search", made);
});
let isAdding = false;
const add = () => {
  isAdding = true;
  choose();
};
const enlarge = (entry) => enlargeQuery(entry, (box) => {
  const { values } = here();
  const put = (entries) => entries.map((one) => (one.image === entry.image && one.query === entry.query ? { ...one, box } : one));
  const [likes, unlikes] = readLikes(values).map(put);
  go("search", searchValues(likes, unlikes, values));
});

const VIEWS = {
  photos: () => new PhotosView(main, { isSearch: false }),
  search: () => new PhotosView(main, { isSearch: true, choose: add, enlarge }),
  map: () => new MapView(main),
  copies: () => new CopiesView(main),
  collection: () => new CollectionView(main),
};
const viewer = new Viewer({ source: () => view?.source ?? null, actions: () => view?.actions ?? [] });

follow(({ view: name, values }, how) => {
  if (name !== viewName) {
    view?.end();
    const isFirst = viewName === "";
    viewName = name;
    document.title = `${TITLES[name]} – mobisearch`;
    document.body.dataset.view = name;
    for (const one of document.querySelectorAll(".views a")) {
      if (one.dataset.view === name) one.setAttribute("aria-current", "page");
      else one.removeAttribute("aria-current");
    }
    view = VIEWS[name]();
    if (!isFirst) main.focus({ preventScroll: true });
  }
  view.update(values, how);
  viewer.update(values, how);
});

// ---- colours

function readTheme() {
  return document.documentElement.dataset.theme ?? "auto";
}

function drawTheme() {
  const [words, shape] = THEMES[readTheme()];
  find("theme").replaceChildren(icon(shape));
  find("theme").setAttribute("aria-label", words);
  find("theme").title = words;
}

find("theme").addEventListener("click", () => {
  const names = Object.keys(THEMES), next = names[(names.indexOf(readTheme()) + 1) % names.length];
  if (next === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem("mobisearch-theme", next);
  } catch {
    // it holds until the page is left
  }
  drawTheme();
  dispatchEvent(new Event("colours"));
});
drawTheme();

// ---- what is always there

for (const one of document.querySelectorAll(".views a")) one.prepend(icon(one.dataset.view));
find("ask").prepend(icon("photos"));
find("ask").addEventListener("click", () => { isAdding = false; choose(); });
find("help-button").append(icon("help"));
find("help-button").setAttribute("aria-label", "Keys");
find("help-button").title = "Keys";
find("help-button").addEventListener("click", openSheet);
listen({
  "/": () => find("ask").focus(), "?": openSheet,
  1: () => go("photos"), 2: () => go("map"), 3: () => go("copies"), 4: () => go("collection"),
  Escape: () => { if (viewName === "search") go("photos"); },
});

live.follow((status) => {
  find("away").hidden = status !== null;
  if (status === null) {
    find("away").replaceChildren(make("span", { text: "mobisearch does not answer. Is “mobisearch serve” still running? This page goes on as soon as it is back." }));
    return;
  }
  const updating = find("live");
  updating.hidden = !status.updating;
  if (status.updating) {
    const { done, total } = status.updating;
    updating.textContent = total ? `Being updated: ${number(done)} of ${count(total, "photo")}` : `Being updated: ${count(done, "photo")}`;
    updating.title = updating.textContent;
  }
});

live.start().then(() => start(), (error) => {
  main.replaceChildren(make("div", { class: "nothing" }, make("h1", { text: "The index cannot be shown" }), failure(error), button("Load the page again", () => location.reload())));
});
