// What is shown is in the address, after the #, so that back, reload and bookmarks work.

const VIEWS = ["photos", "search", "map", "copies", "collection"];
const listeners = new Set();

/** Return what the address says: the view, and its values. */
export function here() {
  const [, view = "", text = ""] = /^#\/?([a-z]*)\??(.*)$/.exec(location.hash) ?? [];
  return { view: VIEWS.includes(view) ? view : "photos", values: new URLSearchParams(text) };
}

/** Return the part of an address that leads to a view with values. */
export function link(view, values = new URLSearchParams()) {
  const text = new URLSearchParams(values).toString().replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("%40", "@");
  return `#/${view}${text ? `?${text}` : ""}`;
}

/** Go to a view. With `replace`, the way back does not lead to where one is now. */
export function go(view, values, { replace = false } = {}) {
  const target = link(view, values);
  if (target === location.hash) return;
  history[replace ? "replaceState" : "pushState"](replace ? history.state : null, "", target);
  tell({ isBack: false });
}

/** Go where one is, with some values changed; null takes one away. */
export function change(changes, options) {
  const { view, values } = here();
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") values.delete(name);
    else values.set(name, value);
  }
  go(view, values, options);
}

/** Keep something with this entry of the history, to find it when one comes back. */
export function remember(kept) {
  history.replaceState({ ...history.state, ...kept }, "", location.hash || "#/photos");
}

/** Return what was kept. */
export const remembered = () => history.state ?? {};

/** Call a function whenever the address changes. */
export function follow(listener) {
  listeners.add(listener);
}

function tell(how) {
  for (const listener of listeners) listener(here(), how);
}

/** Begin to follow the browser's buttons, and links. */
export function start() {
  history.scrollRestoration = "manual";
  let told = null;
  const look = () => {
    if (told === location.hash) return;
    told = location.hash;
    tell({ isBack: history.state !== null }); // what a link leads to has kept nothing yet
  };
  follow(() => { told = location.hash; });
  addEventListener("popstate", look);
  addEventListener("hashchange", look);
  tell({ isBack: true });
}

// ---- what is searched by

/** Return a picture to search by as text: i12, or q and a key; with @x,y,w,h a part of it. */
export function writeLike({ image, query, box }) {
  const name = image !== undefined ? `i${image}` : `q${query}`;
  return box ? `${name}@${box.map((share) => share.toFixed(4)).join(",")}` : name;
}

/** Return the picture that such a text means, or null. */
export function readLike(text) {
  const found = /^(?:i(\d{1,18})|q([\w-]{1,100}))(?:@([\d.]+),([\d.]+),([\d.]+),([\d.]+))?$/.exec(text);
  if (!found) return null;
  const [, image, query, ...shares] = found;
  const made = image !== undefined ? { image: Number(image) } : { query };
  if (shares[0] !== undefined) made.box = shares.map((share) => Math.min(1, Number(share)));
  return made;
}
