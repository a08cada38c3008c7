/** The data of a comparison as typed arrays. Nothing is fetched: the caller hands over the parsed JSON. */

const ARRAYS = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array };
const NOTHING = { u16: 0xffff, u32: 0xffffffff };

/** "u16:BASE64" as a typed array; its largest value stands for none. */
export function typed(text) {
  const [kind, body] = text.split(":");
  const letters = atob(body);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at += 1) bytes[at] = letters.charCodeAt(at);
  const array = new ARRAYS[kind](bytes.buffer);
  return { array, none: NOTHING[kind] };
}

/** What the other modules ask: names, values, lists and maps by number of query, item, space and measure. */
export function readModel(raw) {
  const queryItem = typed(raw.queries.item);
  const lists = raw.lists.map(typed);
  const relevant = raw.relevant.map((text) => typed(text).array);
  const values = raw.values.map((of) => of.map((text) => (text === null ? null : typed(text).array)));
  const labels = raw.items.label === null ? null : typed(raw.items.label);
  const points = raw.map && raw.map.points.map((text) => (text === null ? null : typed(text).array));
  const [low, high] = raw.scale;
  const count = queryItem.array.length;
  const name = (item) => (raw.items.titles && raw.items.titles[item]) || raw.items.ids[item];
  const itemOf = (query) => (queryItem.array[query] === queryItem.none ? -1 : queryItem.array[query]);
  const asked = new Map();
  for (let query = 0; query < count; query += 1) if (itemOf(query) >= 0) asked.set(itemOf(query), query);
  const queryId = (query) => (raw.queries.ids ? raw.queries.ids[query] : raw.items.ids[itemOf(query)]);
  const labelOf = (item) => (item < 0 || !labels || labels.array[item] === labels.none ? -1 : labels.array[item]);
  return {
    count, depth: raw.k, total: raw.total, items: raw.items.ids.length,
    spaces: raw.spaces, measures: raw.measures, labels: raw.labels, sprite: raw.items.sprite, low, high, values,
    value: (space, measure, query) => low + (values[space][measure][query] / 65535) * (high - low),
    list(space, query) {
      const { array, none } = lists[space];
      const whole = array.subarray(query * raw.k, (query + 1) * raw.k);
      const end = whole.indexOf(none);
      return end < 0 ? whole : whole.subarray(0, end);
    },
    isRelevant(space, query, rank) {
      const bit = query * raw.k + rank;
      return ((relevant[space][bit >> 3] >> (bit & 7)) & 1) === 1;
    },
    itemOf, queryId, name, labelOf,
    itemId: (item) => raw.items.ids[item],
    labelName: (item) => (labelOf(item) < 0 ? "" : raw.labels[labelOf(item)]),
    queryOf: (item) => (asked.has(item) ? asked.get(item) : -1),
    queryName: (query) => (raw.queries.titles && raw.queries.titles[query]) || (itemOf(query) >= 0 ? name(itemOf(query)) : queryId(query)),
    map: raw.map && { method: raw.map.method, items: typed(raw.map.items).array, points },
  };
}
