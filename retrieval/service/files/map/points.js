/** Two maps of the same items as typed arrays: joined by id, in squares, the second turned to the first. */

const EDGE = 0.005;

/** Join the replies of two maps. A place of NaN is that of an item that is not on a map. */
export function joined(first, second) {
  const number = new Map(first.ids.map((id, at) => [id, at]));
  const [ids, labels] = [first.ids.slice(), first.labels.slice()];
  second.ids.forEach((id, at) => {
    if (number.has(id)) return;
    number.set(id, ids.length);
    ids.push(id);
    labels.push(second.labels[at]);
  });
  const places = [first, second].map((map) => {
    const [x, y] = [new Float32Array(ids.length).fill(NaN), new Float32Array(ids.length).fill(NaN)];
    map.ids.forEach((id, at) => {
      x[number.get(id)] = map.x[at];
      y[number.get(id)] = map.y[at];
    });
    return { x, y };
  });
  squared(places[0]);
  squared(places[1]);
  turn(places[1], places[0]);
  squared(places[1]);
  return { ids, labels, number, maps: places };
}

/** Bring places into the square from 0 to 1, with one scale for both axes; a few outliers may stand outside. */
export function squared({ x, y }) {
  const ranges = [x, y].map((values) => {
    const known = Float32Array.from(values.filter((value) => !Number.isNaN(value))).sort();
    const at = (share) => known[Math.min(known.length - 1, Math.max(0, Math.round(share * (known.length - 1))))] || 0;
    return [at(EDGE), at(1 - EDGE)];
  });
  const reach = Math.max(ranges[0][1] - ranges[0][0], ranges[1][1] - ranges[1][0], 1e-12) * 1.08;
  for (const [values, [low, high]] of [[x, ranges[0]], [y, ranges[1]]]) {
    for (let at = 0; at < values.length; at += 1) values[at] = 0.5 + (values[at] - (low + high) / 2) / reach;
  }
}

/** Turn, and if that is nearer also mirror, one map to another (orthogonal Procrustes in the plane, about the means). */
export function turn(map, to) {
  const both = [];
  for (let at = 0; at < map.x.length; at += 1) if (!Number.isNaN(map.x[at] + map.y[at] + to.x[at] + to.y[at])) both.push(at);
  if (!both.length) return;
  const mean = (values) => both.reduce((sum, at) => sum + values[at], 0) / both.length;
  const [mu, mv, mx, my] = [map.x, map.y, to.x, to.y].map(mean);
  let [xx, yy, xy, yx] = [0, 0, 0, 0];
  for (const at of both) {
    const [u, v, x, y] = [map.x[at] - mu, map.y[at] - mv, to.x[at] - mx, to.y[at] - my];
    xx += x * u;
    yy += y * v;
    xy += x * v;
    yx += y * u;
  }
  const [turned, mirrored] = [Math.hypot(xx + yy, yx - xy), Math.hypot(xx - yy, xy + yx)];
  const sign = turned >= mirrored ? 1 : -1;
  const size = Math.max(turned, mirrored);
  if (!size) return;
  const [cos, sin] = sign > 0 ? [(xx + yy) / size, (yx - xy) / size] : [(xx - yy) / size, (xy + yx) / size];
  for (let at = 0; at < map.x.length; at += 1) {
    const [u, v] = [map.x[at] - mu, map.y[at] - mv];
    map.x[at] = mx + cos * u - sign * sin * v;
    map.y[at] = my + sin * u + sign * cos * v;
  }
}

/** The labels by their numbers of items, most first, and the number of the label of every item (-1 for none). */
export function labelled(labels) {
  const counts = new Map();
  for (const label of labels) if (label !== null) counts.set(label, (counts.get(label) || 0) + 1);
  const names = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
  const place = new Map(names.map((name, at) => [name, at]));
  return { names, counts, of: Int32Array.from(labels, (label) => (label === null ? -1 : place.get(label))) };
}
