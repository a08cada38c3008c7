/** The two lists of a query side by side: who moved up, who moved down, who is only here. */

import { make, picture, threeDigits } from "./elements.js";
import { ranksIn } from "./pair.js";

/** Put the lists into an element. `step(by)` goes to another query of the same dot, `leave()` closes. */
export function answerLists(element, model, step, leave) {
  const panel = make("section", { class: "answers", tabindex: -1, "aria-live": "polite", hidden: true });
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave();
    else if (event.key === "ArrowRight" || event.key === "ArrowDown") step(1);
    else if (event.key === "ArrowLeft" || event.key === "ArrowUp") step(-1);
    else return;
    event.preventDefault();
  });
  element.append(panel);
  let marked = -1;

  function highlight(item) {
    if (item === marked) return;
    marked = item;
    for (const row of panel.querySelectorAll("li")) row.classList.toggle("same", Number(row.dataset.item) === item);
    for (const path of panel.querySelectorAll("path")) path.classList.toggle("same", Number(path.dataset.item) === item);
  }

  function list(space, query, other, side) {
    const ours = model.list(space, query);
    const ranks = ranksIn(ours, model.list(other, query));
    const rows = Array.from(ours, (item, rank) => answer(space, query, item, rank, ranks[rank]));
    const head = make("h5", {}, make("i", { class: `swatch ${side}`, "aria-hidden": "true" }), make("code", { text: model.spaces[space].label }));
    return make("div", { class: side }, head, rows.length ? make("ol", {}, ...rows) : make("p", { class: "note", text: "no answer" }));
  }

  function answer(space, query, item, rank, there) {
    const relevant = model.isRelevant(space, query, rank);
    const moved = there - rank;
    const [sign, kind, words] = there < 0 ? ["only here", "alone", "only here"]
      : moved === 0 ? ["=", "still", "same rank"]
        : moved > 0 ? [`▲ ${moved}`, "up", `${moved} higher than in the other list`] : [`▼ ${-moved}`, "down", `${-moved} lower than in the other list`];
    const label = model.labelName(item);
    return make("li", {
      class: relevant ? "yes" : "no", "data-item": item,
      onpointerenter: () => highlight(item), onpointerleave: () => highlight(-1),
    },
    picture(model, item),
    make("span", { class: "what" },
      make("span", { class: "sign", "aria-hidden": "true", text: relevant ? "✓" : "✗" }),
      make("span", { class: "hidden", text: relevant ? "relevant, " : "not relevant, " }),
      make("span", { class: "title", dir: "auto", text: model.name(item) }),
      label ? make("small", { text: label }) : null),
    make("span", { class: `move ${kind}`, title: words }, make("span", { "aria-hidden": "true", text: sign }), make("span", { class: "hidden", text: words })));
  }

  // A line from every answer to the same one in the other list.
  function connect(gutter) {
    const box = gutter.getBoundingClientRect();
    if (!box.width) return;
    const middle = (row) => {
      const place = row.getBoundingClientRect();
      return place.top + place.height / 2 - box.top;
    };
    const right = new Map([...panel.querySelectorAll(".second li")].map((row) => [row.dataset.item, row]));
    const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    drawing.setAttribute("aria-hidden", "true");
    for (const row of panel.querySelectorAll(".first li")) {
      const other = right.get(row.dataset.item);
      if (!other) continue;
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      const [from, to, half] = [middle(row), middle(other), box.width / 2];
      path.setAttribute("d", `M0 ${from} C${half} ${from} ${half} ${to} ${box.width} ${to}`);
      path.dataset.item = row.dataset.item;
      if (row.classList.contains("yes")) path.classList.add("yes");
      drawing.append(path);
    }
    gutter.replaceChildren(drawing);
  }

  let [shown, gutter] = ["", null];
  new ResizeObserver(() => gutter && connect(gutter)).observe(panel);
  return {
    panel,
    update(pair, query, group) {
      panel.hidden = query < 0;
      if (query < 0) {
        shown = "";
        return;
      }
      const key = [pair.first, pair.second, pair.measure, query, group.length].join();
      if (key === shown) return;
      shown = key;
      const value = (space) => threeDigits(model.value(space, pair.measure, query));
      const item = model.itemOf(query);
      const label = model.labelName(item);
      const at = group.indexOf(query);
      const steps = group.length < 2 || at < 0 ? null : make("span", { class: "steps" },
        make("button", { type: "button", "aria-label": "previous query of this dot", text: "‹", onclick: () => step(-1) }),
        make("span", { text: `${at + 1} of ${group.length.toLocaleString("en")} at this dot` }),
        make("button", { type: "button", "aria-label": "next query of this dot", text: "›", onclick: () => step(1) }));
      gutter = make("div", { class: "gutter" });
      panel.replaceChildren(
        make("header", {},
          picture(model, item),
          make("div", {},
            make("h4", { dir: "auto", text: model.queryName(query) }),
            make("p", { class: "note", text: `${label ? `label ${label} · ` : ""}${model.measures[pair.measure]} ${value(pair.first)} and ${value(pair.second)} · ${pair.shared[query]} of ${model.depth} answers in both lists` })),
          steps,
          make("button", { type: "button", class: "close", "aria-label": "Close the lists", text: "×", onclick: leave })),
        make("p", { class: "note", text: "✓ relevant, ✗ not. ▲ 3: three ranks higher than in the other list; ▼ lower; = same rank; only here: not among the first of the other list." }),
        make("div", { class: "both" }, list(pair.first, query, pair.second, "first"), gutter, list(pair.second, query, pair.first, "second")));
      connect(gutter);
    },
  };
}
