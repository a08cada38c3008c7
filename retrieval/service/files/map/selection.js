/** The items that are selected: how many, the first of them, and files of all. */

import { changed } from "../address.js";
import { counted, make } from "../explorer/elements.js";
import { media, standing } from "../parts.js";
import { titleOf, titlesOf } from "../titles.js";
import { csv, idLines, save } from "./export.js";

const PAGE = 24;

/** Build the list; `clear()` ends the selection. */
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
      list.append(make("li", {}, media(info, item.id, item.id), name, item.label ? make("small", { text: `label ${item.label}` }) : null));
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
