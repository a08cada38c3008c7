/** What the items of a map are coloured by: labels and clusters as classes, hubness and scores as numbers on a ramp. */

import { COLOURS, numberText } from "../parts.js";

const SHAPES = ["circle", "square", "triangle", "diamond"];
const PALETTE = COLOURS.slice(0, 7);
const LEVELS = 24;
/** Shares of the values beyond which they have the colours of the ends: one hub would leave all others alike. */
const TAIL = 0.01;
/** The number of classes that look different. */
export const CLASSES = PALETTE.length * SHAPES.length;

/** The ways to colour, as a person chooses them. */
export const WAYS = [["", "label"], ["cluster", "cluster"], ["hubness", "health: hubness"], ["score", "score of a query"]];

/** Colour and shape of a class; the rarest ones are grey. */
export function lookOf(at) {
  return at < CLASSES ? { colour: PALETTE[at % PALETTE.length], shape: SHAPES[Math.floor(at / PALETTE.length)] } : { colour: null, shape: "circle" };
}

/** Colours by label: the same in both maps. */
export function byLabel({ names, counts, of }, labels) {
  const groups = names.map((name, at) => ({ name, at, count: counts.get(name), look: lookOf(at) }));
  return { by: "", groups, ramp: null, labels: of, marks: groups.map((group) => group.look), order: null, groupOf: of, value: (item) => labels[item] };
}

/** Colours by cluster, from values in the order of the items (NaN: not on the map). */
export function byCluster(values, info) {
  const of = Int32Array.from(values, (value) => (Number.isNaN(value) ? -1 : value));
  const counts = [];
  for (const at of of) if (at >= 0) counts[at] = (counts[at] || 0) + 1;
  const groups = Array.from(counts, (count, at) => ({ name: `cluster ${at + 1}`, at, count: count || 0, look: lookOf(at) })).filter((group) => group.count);
  return {
    by: "cluster", info, groups, ramp: null, labels: of, marks: Array.from(counts, (_, at) => lookOf(at)), order: null, groupOf: of,
    value: (item) => (of[item] < 0 ? null : `cluster ${of[item] + 1}`),
  };
}

/** Colours by a number. Items without one are grey; those in no list, anti-hubs, are grey triangles. */
export function byNumber(values, info) {
  const hubness = info.by === "hubness";
  const isApart = (value) => hubness && value === 0;
  const known = Float64Array.from(values.filter((value) => !Number.isNaN(value) && !isApart(value))).sort();
  const at = (share) => (known.length ? known[Math.round(share * (known.length - 1))] : 0);
  const [low, high] = [at(TAIL), at(1 - TAIL)];
  const shareOf = (value) => (high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 1);
  const strengthOf = (value) => (info.small_is_near ? 1 - shareOf(value) : shareOf(value));
  const labels = Int32Array.from(values, (value) => (Number.isNaN(value) ? -1 : isApart(value) ? LEVELS : Math.round(strengthOf(value) * (LEVELS - 1))));
  const marks = [...Array.from({ length: LEVELS }, (_, level) => ({ share: level / (LEVELS - 1), shape: "circle" })), { colour: null, shape: "triangle" }];
  const apart = labels.reduce((count, label) => count + (label === LEVELS), 0);
  const groupOf = labels.map((label) => (label === LEVELS ? 0 : -1));
  const text = (value) => numberText(value, known.length && known[known.length - 1] >= 100 ? 1 : 2);
  return {
    by: info.by, info, labels, marks, groupOf, order: sorted(labels),
    groups: apart ? [{ name: "anti-hubs: in no list", at: 0, count: apart, look: { colour: null, shape: "triangle" } }] : [],
    ramp: known.length ? { low: text(low), high: text(high), isCut: [at(0) < low, at(1) > high], reversed: info.small_is_near } : null,
    absent: values.reduce((count, value) => count + Number.isNaN(value), 0),
    value: (item) => (Number.isNaN(values[item]) ? null : text(values[item])), number: (item) => (Number.isNaN(values[item]) ? null : values[item]),
  };
}

// The strongest last; a count for each level sorts a hundred thousand items at once.
function sorted(labels) {
  const starts = new Int32Array(LEVELS + 3);
  for (const label of labels) starts[label + 2] += 1;
  for (let level = 1; level < starts.length; level += 1) starts[level] += starts[level - 1];
  const order = new Int32Array(labels.length);
  for (let item = 0; item < labels.length; item += 1) {
    order[starts[labels[item] + 1]] = item;
    starts[labels[item] + 1] += 1;
  }
  return order;
}

/** The clusters of the second map with the numbers of those in the first that they share most items with. */
export function matched(values, to) {
  const pairs = new Map();
  const counts = [0, 0];
  for (let at = 0; at < values.length; at += 1) {
    if (Number.isNaN(values[at]) || Number.isNaN(to[at])) continue;
    const key = `${values[at]} ${to[at]}`;
    pairs.set(key, (pairs.get(key) || 0) + 1);
  }
  for (const one of values) counts[0] = Math.max(counts[0], (one || 0) + 1);
  for (const one of to) counts[1] = Math.max(counts[1], (one || 0) + 1);
  const [number, taken] = [new Map(), new Set()];
  for (const [key] of [...pairs].sort((a, b) => b[1] - a[1])) {
    const [own, other] = key.split(" ").map(Number);
    if (number.has(own) || taken.has(other)) continue;
    number.set(own, other);
    taken.add(other);
  }
  let next = 0;
  for (let own = 0; own < counts[0]; own += 1) {
    if (number.has(own)) continue;
    while (taken.has(next)) next += 1;
    number.set(own, next);
    taken.add(next);
  }
  return values.map((value) => (Number.isNaN(value) ? value : number.get(value)));
}
