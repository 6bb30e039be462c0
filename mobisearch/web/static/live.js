// The state of the index, followed while it changes.
//
// A browser opens six connections to one server at most, for all tabs together, and a tab that follows
// the index holds one of them. So one tab follows, and tells the others.

import { read } from "./api.js";

const listeners = new Set();
const PAUSE_MS = 1500;
let current = null, isReading = false, isStale = false, isGone = false;

/** Return what is known of the index; null before the first answer. */
export const status = () => current;

/** Call a function with the status now and whenever it changes; with null when the server is away. */
export function follow(listener) {
  listeners.add(listener);
  if (current) listener(current, null);
  return () => listeners.delete(listener);
}

function tell(before) {
  for (const listener of listeners) listener(isGone ? null : current, before);
}

/** Read the status again, at most every second and a half. */
export async function refresh() {
  if (isReading) {
    isStale = true;
    return;
  }
  isReading = true;
  try {
    const before = current;
    current = await read("/api/status");
    isGone = false;
    tell(before);
  } catch (error) {
    if (error.status === 0) {
      isGone = true;
      tell(current);
    } else if (!current) throw error;
  } finally {
    setTimeout(() => {
      isReading = false;
      if (isStale) {
        isStale = false;
        refresh();
      }
    }, PAUSE_MS);
  }
}

function heard(event) {
  const isNew = !current || isGone || event.generation !== current.generation || event.images !== current.images
    || event.failed !== current.failed || event.missing !== current.missing || Boolean(event.updating) !== Boolean(current.updating);
  if (isNew) refresh();
}

/** Begin to follow. */
export async function start() {
  const channel = new BroadcastChannel("mobisearch");
  channel.addEventListener("message", (event) => heard(event.data));
  const listen = (ended) => {
    const events = new EventSource("/api/events");
    events.addEventListener("status", (event) => {
      const said = JSON.parse(event.data);
      heard(said);
      channel.postMessage(said);
    });
    events.addEventListener("open", () => { if (isGone) refresh(); });
    events.addEventListener("error", () => {
      refresh(); // it tries again by itself; this finds out what is the matter
      if (events.readyState === EventSource.CLOSED) {
        setTimeout(() => ended(), PAUSE_MS * 2);
      }
    });
  };
  const lead = () => new Promise((ended) => listen(ended)).then(lead);
  if (navigator.locks) navigator.locks.request("mobisearch-events", lead);
  else lead();
  await refresh();
}
