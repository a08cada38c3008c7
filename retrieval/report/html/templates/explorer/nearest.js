/** Dots in a plane: which one is under the pointer, and which one comes next when an arrow key is pressed? */

/** The dot nearest to a place, no farther than its radius and some room; -1 for none. */
export function dotAt(dots, x, y, room = 6) {
  let [best, least] = [-1, Infinity];
  dots.forEach((dot, at) => {
    const away = Math.hypot(dot.x - x, dot.y - y) - (dot.radius || 0);
    if (away < least && away <= room) [best, least] = [at, away];
  });
  return best;
}

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The next dot in the direction of an arrow key; the present one where none follows. */
export function nextDot(dots, present, key) {
  if (!DIRECTIONS[key] || !dots.length) return present;
  if (present < 0) return 0;
  const [right, down] = DIRECTIONS[key];
  const from = dots[present];
  let [best, least] = [present, Infinity];
  dots.forEach((dot, at) => {
    const along = (dot.x - from.x) * right + (dot.y - from.y) * down;
    const aside = Math.abs((dot.x - from.x) * down) + Math.abs((dot.y - from.y) * right);
    if (along <= 0.01 || aside > 2 * along) return;
    if (along + 2 * aside < least) [best, least] = [at, along + 2 * aside];
  });
  return best;
}

/** Whether a place is inside a polygon. */
export function isInside(polygon, x, y) {
  let inside = false;
  for (let at = 0, before = polygon.length - 1; at < polygon.length; before = at, at += 1) {
    const [[x1, y1], [x2, y2]] = [polygon[at], polygon[before]];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
  }
  return inside;
}
