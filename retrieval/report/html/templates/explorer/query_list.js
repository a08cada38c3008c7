/** The queries in an order, as many rows as fit: a list of ten thousand is drawn as fast as one of ten. */

import { counted, make, picture, threeDigits } from "./elements.js";

const ROW = 38;

/** Put the list into an element. `choose(query)` when a row is chosen, `enter()` on Enter, `leave()` on Escape. */
export function queryList(element, model, key, choose, enter, leave) {
  let [pair, queries, chosen] = [null, [], -1];
  const space = make("div", { class: "rows" });
  const list = make("div", {
    class: "queries", tabindex: 0, role: "listbox", "aria-label": "Queries. Arrow keys choose one, Enter goes to its lists.",
    onscroll: draw, onkeydown: pressed,
    onclick: (event) => {
      const row = event.target.closest("[role=option]");
      if (row) choose(Number(row.dataset.query));
    },
  }, space);
  const count = make("p", { class: "note" });
  element.append(list, count);
  new ResizeObserver(draw).observe(list);

  function draw() {
    if (!pair) return;
    const start = Math.max(0, Math.floor(list.scrollTop / ROW) - 4);
    const end = Math.min(queries.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + 4);
    space.style.height = `${queries.length * ROW}px`;
    const rows = [];
    for (let at = start; at < end; at += 1) rows.push(row(at));
    space.replaceChildren(...rows);
    const active = queries.indexOf(chosen);
    if (active >= start && active < end) list.setAttribute("aria-activedescendant", `${key}-query-${chosen}`);
    else list.removeAttribute("aria-activedescendant");
  }

  function row(at) {
    const query = queries[at];
    const [ours, theirs] = [model.value(pair.first, pair.measure, query), model.value(pair.second, pair.measure, query)];
    const share = pair.difference[query] / 65535;
    const bar = make("span", { class: "bar", "aria-hidden": "true" }, make("i"));
    const fill = bar.firstChild;
    fill.style.width = `${50 * Math.abs(share)}%`;
    fill.style[share > 0 ? "right" : "left"] = "50%";
    fill.style.background = share > 0 ? "var(--first)" : "var(--second)";
    const label = model.labelName(model.itemOf(query));
    const element = make("div", {
      role: "option", id: `${key}-query-${query}`, "data-query": query, "aria-selected": String(query === chosen),
      "aria-setsize": queries.length, "aria-posinset": at + 1,
    },
    picture(model, model.itemOf(query)),
    make("span", { class: "who", dir: "auto", text: model.queryName(query) + (label && model.sprite ? ` · ${label}` : "") }),
    make("span", { class: "number", text: threeDigits(ours) }), bar, make("span", { class: "number", text: threeDigits(theirs) }),
    make("span", { class: "number shared", text: String(pair.shared[query]) }));
    element.style.top = `${at * ROW}px`;
    return element;
  }

  function pressed(event) {
    const page = Math.max(1, Math.floor(list.clientHeight / ROW) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps && queries.length) {
      const now = queries.indexOf(chosen);
      const next = now < 0 ? 0 : Math.min(queries.length - 1, Math.max(0, now + steps[event.key]));
      choose(queries[next]);
    } else if (event.key === "Enter") enter();
    else if (event.key === "Escape") leave();
    else return;
    event.preventDefault();
  }

  function reveal() {
    const at = queries.indexOf(chosen);
    if (at < 0) return;
    if (at * ROW < list.scrollTop) list.scrollTop = at * ROW;
    else if ((at + 1) * ROW > list.scrollTop + list.clientHeight) list.scrollTop = (at + 1) * ROW - list.clientHeight;
  }

  return {
    list,
    update(next, wanted, query) {
      if (wanted !== queries) list.scrollTop = 0;
      [pair, queries, chosen] = [next, wanted, query];
      const all = queries.length === model.count && model.count === model.total;
      count.textContent = all ? counted(queries.length, "query", "queries")
        : `${counted(queries.length, "query", "queries")} of ${model.total.toLocaleString("en")}`;
      space.style.height = `${queries.length * ROW}px`;
      reveal();
      draw();
    },
  };
}
