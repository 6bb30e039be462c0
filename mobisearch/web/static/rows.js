// Rows of photos that fill the width exactly, as even in height as their shapes allow.

const NARROWEST = 0.45, WIDEST = 3.2;

/** Return the shape that a photo gets in a row: very tall and very wide ones are cut to fit. */
export const shape = (image) => Math.min(WIDEST, Math.max(NARROWEST, image.width / image.height || 1));

/**
 * Lay out photos in rows.
 *
 * Of all ways to break the photos into rows the one is taken whose heights differ least from the
 * wanted one, all rows together: no row is thin because of what came before it.
 *
 * Args: shapes, width over height of each; width in pixels; height wanted; gap; isLast: the last row
 * may stay short, as nothing follows it.
 * Returns: { places: [{ x, y, width, height, row }], rows: [{ first, last, y, height }], height }.
 */
export function layOut(shapes, width, height, gap, { isLast = true } = {}) {
  const n = shapes.length;
  const cost = new Float64Array(n + 1).fill(Infinity), from = new Int32Array(n + 1);
  cost[0] = 0;
  for (let first = 0; first < n; first++) {
    let sum = 0;
    for (let last = first; last < n; last++) {
      sum += shapes[last];
      const fitting = (width - gap * (last - first)) / sum;
      const isShort = isLast && last === n - 1 && fitting > height;
      const apart = isShort ? 0 : Math.log(fitting / height);
      const sumCost = cost[first] + apart * apart + (fitting < 0 ? 1e6 : 0);
      if (sumCost < cost[last + 1]) {
        cost[last + 1] = sumCost;
        from[last + 1] = first;
      }
      if (fitting < height * 0.4) break;
    }
  }
  const breaks = [];
  for (let end = n; end > 0; end = from[end]) breaks.unshift([from[end], end]);
  const places = [], rows = [];
  let y = 0;
  for (const [first, end] of breaks) {
    const sum = shapes.slice(first, end).reduce((all, one) => all + one, 0);
    const fitting = (width - gap * (end - first - 1)) / sum;
    const isShort = isLast && end === n && fitting > height;
    const tall = Math.max(24, isShort ? height : fitting);
    let x = 0;
    for (let i = first; i < end; i++) {
      const wide = i === end - 1 && !isShort ? width - x : shapes[i] * tall;
      places.push({ x, y, width: Math.max(wide, 1), height: tall, row: rows.length });
      x += wide + gap;
    }
    rows.push({ first, last: end - 1, y, height: tall });
    y += tall + gap;
  }
  return { places, rows, height: Math.max(0, y - gap) };
}
