/** The table of a comparison: measures, the best and what equals it; sizes and times. */

import { make, threeDigits } from "../explorer/elements.js";
import { numberText, scrolling, spaceName } from "../parts.js";

const COSTS = [
  ["dim", (space) => numberText(space.dim, 0)], ["codes, B/item", (space) => numberText(space.code_bytes_per_item, 1)],
  ["on disk, B/item", (space) => numberText(space.bytes_on_disk_per_item, 0)], ["query, ms", (space) => numberText(space.query_ms, 2)],
];

/** The table as an element, with what its signs mean. */
export function comparisonTable(info, found) {
  const measures = [...new Set(found.spaces.flatMap((space) => Object.keys(space.measures)))];
  const best = measures.map((name) => Math.max(...found.spaces.map((space) => space.measures[name] ?? -Infinity)));
  const rows = found.spaces.map((space) => make("tr", {},
    make("th", { scope: "row" }, ...spaceName(info, space.spec), space.label === space.spec ? null : make("small", { text: space.label })),
    ...measures.map((name, at) => value(space, name, best[at], found)),
    ...COSTS.map(([, read]) => make("td", { text: read(space) }))));
  return make("div", { class: "spaces" }, scrolling("Measures and costs of every space", ["space", ...measures, ...COSTS.map(([name]) => name)], rows),
    make("p", { class: "note", text: "★ best; ≈ no significant difference from the best." }));
}

function value(space, name, best, found) {
  const number = space.measures[name];
  if (number === null || number === undefined) return make("td", { text: "–" });
  const apart = found.above_chance[name] !== false && found.spaces.some((other) => other.measures[name] !== number);
  const isBest = apart && number === best;
  const isTied = apart && !isBest && space.tied_with_best[name];
  return make("td", { class: isBest && "best" }, threeDigits(number),
    make("span", { class: "mark", "aria-hidden": "true", text: isBest ? "★" : isTied ? "≈" : "" }),
    isBest || isTied ? make("span", { class: "hidden", text: isBest ? " best" : " no significant difference from the best" }) : null);
}
