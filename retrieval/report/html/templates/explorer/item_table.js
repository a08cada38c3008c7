/** The items whose neighbourhoods differ most, in two spaces. */

import { make, picture } from "./elements.js";
import { unlikeItems } from "./pair.js";

const SHOWN = 12;

/** Put the table of the comparison `name` into an element. `choose(item)` when an item is chosen. */
export function itemTable(element, model, name, choose) {
  const body = make("tbody");
  element.append(make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Items whose neighbourhoods differ most, ${name}` }, make("table", { class: "unlike" },
    make("thead", {}, make("tr", {},
      make("th", { scope: "col", text: model.labels.length ? "item · label" : "item" }),
      make("th", { scope: "col", text: "only first", title: "neighbours in the first space only" }), make("th", { scope: "col", text: "both", title: "neighbours in both spaces" }), make("th", { scope: "col", text: "only second", title: "neighbours in the second space only" }))),
    body)));
  let shown = "";

  function row({ item, ours, theirs, both }) {
    const label = model.labelName(item);
    const total = ours + theirs + both;
    const part = (count, side) => {
      const bar = make("i", { class: side });
      bar.style.width = `${(100 * count) / total}%`;
      return bar;
    };
    return make("tr", {},
      make("th", { scope: "row" }, make("div", {},
        make("button", { type: "button", onclick: () => choose(item) },
          picture(model, item), make("span", { dir: "auto", text: model.name(item) + (label ? ` · ${label}` : "") })),
        make("span", { class: "parts", "aria-hidden": "true" }, part(ours, "first"), part(both, "both"), part(theirs, "second")))),
      make("td", { text: ours }), make("td", { text: both }), make("td", { text: theirs }));
  }

  return {
    update(pair) {
      if (shown === `${pair.first},${pair.second}`) return;
      shown = `${pair.first},${pair.second}`;
      body.replaceChildren(...unlikeItems(model, pair, SHOWN).map(row));
    },
  };
}
