// Looks at the page as it is drawn: contrast of texts, names and sizes of controls.
const colour = (text) => {
  const parts = text.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
  if (text.startsWith("color(srgb")) return [parts[0] * 255, parts[1] * 255, parts[2] * 255, parts[3] ?? 1];
  return [parts[0], parts[1], parts[2], parts[3] ?? 1];
};
const over = (above, below) => [0, 1, 2].map((i) => above[i] * above[3] + below[i] * (1 - above[3])).concat(1);
const luminance = ([r, g, b]) => {
  const [x, y, z] = [r, g, b].map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const isSeen = (one) => one.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !one.closest(".unseen, .skip");
const reach = () => document.querySelector("dialog[open]") ?? document.body;
function behind(one) {
  const layers = [];
  for (let at = one; at; at = at.parentElement) {
    const ground = colour(getComputedStyle(at).backgroundColor);
    if (ground[3] > 0) layers.push(ground);
    if (ground[3] === 1) break;
  }
  const base = colour(getComputedStyle(document.body).backgroundColor);
  return layers.reverse().reduce((below, above) => over(above, below), base);
}
function texts() {
  const found = [];
  for (const one of reach().querySelectorAll("*")) {
    const text = [...one.childNodes].filter((child) => child.nodeType === 3).map((child) => child.data.trim()).join(" ").trim();
    if (!text || !isSeen(one) || one.closest(":disabled, .tile-name, svg, option")) continue;
    const style = getComputedStyle(one), size = parseFloat(style.fontSize), ground = behind(one);
    const values = [luminance(over(colour(style.color), ground)), luminance(ground)].sort((a, b) => b - a);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    found.push({ text: text.slice(0, 60), contrast: (values[0] + 0.05) / (values[1] + 0.05), least: isLarge ? 3 : 4.5 });
  }
  return found;
}
const controls = () => [...reach().querySelectorAll("a[href], button, input, select, canvas, [tabindex='0']")].filter((one) => isSeen(one));
function nameless() {
  return controls().filter((one) => !(one.getAttribute("aria-label") || one.textContent.trim() || one.labels?.length || one.getAttribute("aria-labelledby"))).map((one) => one.outerHTML);
}
function doubled() {
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  return ids.filter((id, place) => ids.indexOf(id) !== place);
}
function small(least) {
  return controls().filter((one) => one.matches("button, select, .views a") && !one.matches(".plain"))
    .map((one) => [one.getAttribute("aria-label") ?? one.textContent, one.getBoundingClientRect()])
    .filter(([, box]) => box.width && (box.width < least || box.height < least)).map(([name, box]) => `${name}: ${box.width} x ${box.height}`);
}
