/** The items that are selected: how many, the first of them, and files of all. */

import { changed } from "../address.js";
import { ask, pathOf } from "../api.js";
import { counted, make } from "../explorer/elements.js";
import { media, standing } from "../parts.js";
import { csv, idLines, save } from "./export.js";

const PAGE = 24;
/** Ids of one request, and the length of its address, which the service bounds. */
const [MOST_AT_ONCE, LONGEST] = [500, 8_000];

/** Build the list; `titleOf(id)` gives a promise of a title. */
export function selectionList(info, clear) {
  let [items, names, shown] = [[], [], 0];
  const heading = make("h3", {});
  const list = make("ul", { class: "items" });
  const more = make("button", { type: "button", text: "Show more", onclick: () => extend() });
  const note = make("p", { class: "note" });
  const buttons = make("div", { class: "buttons" },
    make("button", { type: "button", text: "Save as CSV", onclick: saveTable }),
    make("button", { type: "button", text: "Save ids", onclick: () => save(`${info.name}-ids.txt`, "text/plain", idLines(items.map((item) => item.id))) }),
    make("button", { type: "button", class: "plain", text: "Clear the selection", onclick: clear }));
  const state = standing();
  const element = make("section", { class: "selection", "aria-label": "Selection", hidden: true }, make("div", { "aria-live": "polite" }, heading), buttons, state.element, note, list, more);

  async function saveTable() {
    const [chosen, columns] = [items, names];
    try {
      const found = await titlesOf(info, chosen.map((item) => item.id), (done) => state.say(`Reading titles: ${done.toLocaleString("en")} of ${chosen.length.toLocaleString("en")}`));
      state.say("");
      save(`${info.name}-selection.csv`, "text/csv", csv([["id", "title", "label", ...columns], ...chosen.map((item) => [item.id, found.get(item.id), item.label, ...item.cells])]));
    } catch (error) {
      state.fail(error, saveTable);
    }
  }

  function extend() {
    for (const item of items.slice(shown, shown + PAGE)) {
      const name = make("a", { href: changed({ view: "search", collection: info.name, id: item.id }, new URLSearchParams()), "data-inside": true, dir: "auto", text: item.id });
      titleOf(info, item.id).then((title) => { name.textContent = title; }, () => {});
      list.append(make("li", {}, media(info, item.id, item.id), name, item.label ? make("small", { text: item.label }) : null));
    }
    shown = Math.min(items.length, shown + PAGE);
    more.hidden = shown >= items.length;
  }

  return {
    element,
    /** Show items; `columns` name their cells in the table. */
    show(next, columns) {
      [items, names] = [next, columns];
      element.hidden = !items.length;
      heading.textContent = `${counted(items.length, "item")} selected`;
      note.replaceChildren("To remove them: ", make("code", { text: `xargs nearby delete FOLDER -- < ${info.name}-ids.txt` }));
      list.replaceChildren();
      shown = 0;
      extend();
    },
  };
}

const titles = new Map();

/** The title of an item, or the beginning of its text; asked for once. */
export function titleOf(info, id) {
  const path = pathOf(info.name, "items", encodeURIComponent(id));
  if (titles.size > 5_000) titles.clear();
  if (!titles.has(path)) titles.set(path, ask(path).then((item) => item.title || (item.text || "").slice(0, 90) || id));
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
