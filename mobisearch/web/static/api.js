// Asking the server. Every failure becomes an ApiError with a sentence that can be shown.

import { sentence } from "./wording.js";

/** What the server refused, or that it did not answer: `status` is 0 then. */
export class ApiError extends Error {
  constructor(status, code, reason) {
    super(sentence(reason));
    this.status = status;
    this.code = code;
  }
}

let csrf = null;

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "away", "mobisearch does not answer; is 'mobisearch serve' still running?");
  }
  if (answer.ok) return answer;
  let reason = `the server answered ${answer.status}`, code = `http_${answer.status}`;
  try {
    ({ code, reason } = (await answer.json()).error);
  } catch {
    // not from mobisearch: the number must do
  }
  throw new ApiError(answer.status, code, reason);
}

/** Return the document at a path. */
export async function read(path, { signal } = {}) {
  return (await ask(path, { signal })).json();
}

/** Send a change or a question with a body, and return the document of the answer. */
export async function send(path, body, { method = "POST", signal } = {}) {
  for (const isLast of [false, true]) {
    if (csrf === null) csrf = (await read("/api/session")).csrf;
    const headers = { "X-Mobisearch-CSRF": csrf };
    const isForm = body instanceof FormData;
    if (!isForm) headers["Content-Type"] = "application/json";
    try {
      const answer = await ask(path, { method, headers, signal, body: isForm ? body : JSON.stringify(body ?? {}) });
      return answer.status === 204 ? null : await answer.json();
    } catch (error) {
      if (isLast || error.code !== "no_csrf") throw error;
      csrf = null; // the server was started again under the same address
    }
  }
  return null;
}

/** Upload a picture to search by. */
export function upload(file) {
  const form = new FormData();
  form.append("image", file, "picture");
  return send("/api/queries", form);
}

export const thumbnail = (id, px) => `/api/images/${id}/thumbnail?px=${px}`;
export const preview = (id) => `/api/images/${id}/preview`;
export const queryPreview = (key) => `/api/queries/${encodeURIComponent(key)}/preview`;

/** Return a query string of those values that say something. */
export function query(values) {
  const made = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== "" && value !== null && value !== undefined) made.set(name, value);
  return made.toString();
}
