/** Titles of items: of one, asked for once, and of many at a time. */

import { ask, pathOf } from "./api.js";

const REMEMBERED = 5_000;
/** Ids of one request, and the length of its address, which the service bounds. */
const [MOST_AT_ONCE, LONGEST] = [500, 8_000];
const titles = new Map();

/** The title of an item, or the beginning of its text; asked for once. */
export function titleOf(info, id) {
  const path = pathOf(info.name, "items", encodeURIComponent(id));
  if (titles.size > REMEMBERED) titles.clear();
  if (!titles.has(path)) titles.set(path, ask(path).then((item) => item.title || id));
  return titles.get(path);
}

/** The titles of items by their ids, some at a time; `hear(done)` says how many there are. */
export async function titlesOf(info, ids, hear) {
  const found = new Map();
  for (let at = 0; at < ids.length;) {
    let path = pathOf(info.name, `items?limit=${MOST_AT_ONCE}`);
    const begun = at;
    while (at < ids.length && at - begun < MOST_AT_ONCE && (at === begun || path.length + 3 * ids[at].length < LONGEST)) {
      path += `&id=${encodeURIComponent(ids[at])}`;
      at += 1;
    }
    hear(begun);
    for (const item of (await ask(path)).items) found.set(item.id, item.title || null);
  }
  return found;
}
