/** Two spaces side by side: on which queries, and around which items, do they differ? */

/** The queries of two spaces: their values, which is better, and how many answers both lists share. */
export function pairOf(model, first, second, measure) {
  const [ours, theirs] = [model.values[first][measure], model.values[second][measure]];
  const seen = new Int32Array(model.items).fill(-1);
  const difference = new Int32Array(model.count);
  const shared = new Uint8Array(model.count);
  const tally = { better: 0, equal: 0, worse: 0, shared: 0 };
  for (let query = 0; query < model.count; query += 1) {
    difference[query] = ours[query] - theirs[query];
    if (difference[query] > 0) tally.better += 1;
    else if (difference[query] < 0) tally.worse += 1;
    else tally.equal += 1;
    for (const item of model.list(first, query)) seen[item] = query;
    for (const item of model.list(second, query)) if (seen[item] === query) shared[query] += 1;
    tally.shared += shared[query];
  }
  tally.shared /= Math.max(1, model.count);
  return { first, second, measure, ours, theirs, difference, shared, tally };
}

/** Whether both spaces have a measure: an index that answers few items has fewer measures. */
export function hasMeasure(model, space, measure) {
  return model.values[space][measure] !== null;
}

const ORDERS = {
  difference: (pair) => (a, b) => Math.abs(pair.difference[b]) - Math.abs(pair.difference[a]),
  first: (pair) => (a, b) => pair.difference[b] - pair.difference[a],
  second: (pair) => (a, b) => pair.difference[a] - pair.difference[b],
  shared: (pair) => (a, b) => pair.shared[a] - pair.shared[b],
  corpus: () => () => 0,
};

/** The numbers of queries in an order: "difference", "first", "second" (better), "shared", "corpus". */
export function ordered(pair, queries, order) {
  const compare = (ORDERS[order] || ORDERS.difference)(pair);
  return queries.slice().sort((a, b) => compare(a, b) || a - b);
}

/**
 * The items whose neighbourhoods differ most, relative to the rest. The neighbours of an item are the answers to it, where it is
 * a query, and the queries that find it. How surprising is the number of neighbours of one space only, if each neighbour were
 * common to both with the share of all items? The standard normal value of that decides.
 */
export function unlikeItems(model, pair, limit) {
  const counts = { ours: new Uint32Array(model.items), theirs: new Uint32Array(model.items), both: new Uint32Array(model.items) };
  const inFirst = new Int32Array(model.items).fill(-1);
  for (let query = 0; query < model.count; query += 1) {
    const own = model.itemOf(query);
    const [left, right] = [model.list(pair.first, query), model.list(pair.second, query)];
    for (const item of left) inFirst[item] = query;
    for (const item of left) counts.ours[item] += 1;
    for (const item of right) {
      const side = inFirst[item] === query ? "both" : "theirs";
      counts[side][item] += 1;
      if (side === "both") counts.ours[item] -= 1;
    }
    if (own >= 0) {
      counts.ours[own] += left.length - pair.shared[query];
      counts.theirs[own] += right.length - pair.shared[query];
      counts.both[own] += pair.shared[query];
    }
  }
  let [apart, all] = [0, 0];
  for (let item = 0; item < model.items; item += 1) {
    apart += counts.ours[item] + counts.theirs[item];
    all += counts.ours[item] + counts.theirs[item] + counts.both[item];
  }
  const share = all ? apart / all : 0;
  const spread = Math.sqrt(share * (1 - share)) || 1;
  const rows = [];
  for (let item = 0; item < model.items; item += 1) {
    const [ours, theirs, both] = [counts.ours[item], counts.theirs[item], counts.both[item]];
    const total = ours + theirs + both;
    if (ours + theirs === 0) continue;
    rows.push({ item, ours, theirs, both, surprise: (ours + theirs - share * total) / (spread * Math.sqrt(total)) });
  }
  rows.sort((a, b) => b.surprise - a.surprise || a.item - b.item);
  return rows.slice(0, limit);
}

/** Where each item of a list stands in the other one, from 0; -1 for items of this list only. */
export function ranksIn(list, other) {
  const ranks = new Map();
  other.forEach((item, rank) => ranks.set(item, rank));
  return Array.from(list, (item) => (ranks.has(item) ? ranks.get(item) : -1));
}
