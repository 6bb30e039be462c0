// Numbers, sizes and times as people read them.

const numbers = new Intl.NumberFormat("en");

/** Return a number with separators. */
export const number = (n) => numbers.format(n);

/** Return a number with the word for what is counted. */
export const count = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

/** Return bytes in the unit that fits. */
export function bytes(n) {
  if (n < 1000) return count(n, "byte");
  for (const unit of ["kB", "MB", "GB"]) {
    n /= 1000;
    if (n < 999.5) return `${n < 9.95 ? n.toFixed(1) : Math.round(n)} ${unit}`;
  }
  return `${(n / 1000).toFixed(1)} TB`;
}

/** Return a share as a whole percentage. */
export const percent = (share) => `${Math.round(share * 100)} %`;

/** Return a score: a cosine, so 1 is the same picture. */
export const score = (value) => value.toFixed(2);

/** Return pixels: sides and, from one on, megapixels. */
export function pixels(width, height) {
  const mega = (width * height) / 1e6;
  return `${number(width)} × ${number(height)}${mega >= 1 ? ` · ${mega.toFixed(mega < 10 ? 1 : 0)} MP` : ""}`;
}

/** Return when a photo was taken, as its camera's clock said: there is no time zone to change to. */
export function taken(text) {
  const found = /^(\d{4})[-:](\d{2})[-:](\d{2})(?:[T ](\d{2}):(\d{2}))?/.exec(text);
  if (!found) return text;
  const [, year, month, day, hours, minutes] = found;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (Number.isNaN(date.getTime())) return text;
  const words = date.toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
  return hours ? `${words}, ${hours}:${minutes}` : words;
}

/** Return a moment in the time of this machine. */
export function moment(text) {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) return text;
  return date.toLocaleString("en-GB", { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit" });
}

/** Return a place on earth. */
export const place = (latitude, longitude) =>
  `${Math.abs(latitude).toFixed(5)}° ${latitude < 0 ? "S" : "N"}, ${Math.abs(longitude).toFixed(5)}° ${longitude < 0 ? "W" : "E"}`;

/** Return a path of a folder and a name, with the separator that the folder itself uses. */
export function path(image) {
  const separator = image.folder.includes("\\") && !image.folder.includes("/") ? "\\" : "/";
  return image.folder.endsWith(separator) ? image.folder + image.name : image.folder + separator + image.name;
}

/** Return a sentence that begins and ends as sentences do. */
export function sentence(text) {
  const whole = text.trim();
  return whole ? whole[0].toUpperCase() + whole.slice(1) + (/[.!?]$/.test(whole) ? "" : ".") : "";
}
