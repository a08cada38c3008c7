/** Lines and views as texts of the address. */

/** A line around items: the side of the map, and its corners in thousandths. */
export function lassoText(side, corners) {
  return [side, ...corners.flat().map((value) => Math.round(1000 * value))].join(".");
}

/** The line that an address holds; null for none. */
export function lassoIn(text) {
  const numbers = (text || "").split(".").map(Number);
  const corners = [];
  for (let at = 1; at + 1 < numbers.length; at += 2) corners.push([numbers[at] / 1000, numbers[at + 1] / 1000]);
  return corners.length > 2 && numbers.every(Number.isFinite) && [0, 1].includes(numbers[0]) ? { side: numbers[0], corners } : null;
}

/** Where a map looks; null for all of it, which needs no place in the address. */
export function viewText({ x, y, zoom }) {
  return zoom === 1 && !x && !y ? null : [x, y, zoom].map((value) => Number(value.toFixed(4))).join("_");
}

/** Where an address says that a map looks; null for all of it. */
export function viewIn(text) {
  const [x, y, zoom] = (text || "").split("_").map(Number);
  return [x, y, zoom].every(Number.isFinite) && zoom > 0 ? { x, y, zoom } : null;
}

/** The class that an address selects: its side and its number; null for none. */
export function groupIn(text) {
  const [side, at] = (text || "").split(".").map(Number);
  return text && [0, 1].includes(side) && Number.isInteger(at) && at >= 0 ? { side, at } : null;
}
