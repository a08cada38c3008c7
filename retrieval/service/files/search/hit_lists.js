/** Lists of answers side by side: what each space moved up or down, what only one has, and lines between them. */

import { changed } from "../address.js";
import { make } from "../explorer/elements.js";
import { media, numberText, spaceName } from "../parts.js";
import { beyond, marked, rowText } from "./words.js";

const DISTANCES = { cosine: "1 − cosine", euclidean: "distance", hamming: "bits", dot: "score" };

/** Put lists into an element; `show(result, words)` replaces them. */
export function hitLists(element, info) {
  let gutters = [];
  let observed = null;
  const watcher = new ResizeObserver(() => gutters.forEach(connect));

  function show(result, words) {
    const lists = result.hits ? [{ spec: "", hits: result.hits, name: fusedName(result), spaces: result.spaces }]
      : result.spaces.map((space) => ({ ...space, hits: space.hits || [] }));
    const ranks = lists.map((list) => new Map(list.hits.map((hit, rank) => [hit.id, rank])));
    const columns = lists.map((list, at) => column(list, at, ranks, words, lists));
    gutters = columns.slice(1).map((right, at) => ({ element: make("div", { class: "gutter" }), left: columns[at], right }));
    const grid = make("div", { class: "lists" }, columns[0], ...gutters.flatMap((gutter) => [gutter.element, gutter.right]));
    grid.style.setProperty("--columns", columns.length);
    element.replaceChildren(make("div", { class: "lists-scroll", tabindex: columns.length > 3 && 0, role: "region", "aria-label": "Answers" }, grid));
    if (observed) watcher.unobserve(observed);
    observed = grid;
    watcher.observe(grid);
    for (const picture of grid.querySelectorAll("img")) picture.addEventListener("load", () => gutters.forEach(connect), { once: true });
    gutters.forEach(connect);
  }

  const fusedName = (result) => make("h3", { text: `All ${result.spaces.length} spaces as one list` });

  function column(list, at, ranks, words, lists) {
    const rows = list.hits.map((hit, rank) => row(list, hit, rank, moveOf(hit.id, rank, at, ranks, lists), words));
    const nothing = list.note || "no answer";
    const time = list.milliseconds === undefined ? null : make("small", { text: `${list.milliseconds.toFixed(1)} ms` });
    return make("section", { class: "list", "aria-label": list.spec || "all spaces" },
      list.name || make("h3", {}, ...spaceName(info, list.spec), time),
      rows.length ? make("ol", {}, ...rows) : make("p", { class: "note", text: nothing }));
  }

  // Beside the list to the left: how far up or down, or not there; and what no other list has.
  function moveOf(id, rank, at, ranks, lists) {
    if (ranks.length < 2) return null;
    if (!ranks.some((other, where) => where !== at && other.has(id))) return ["only here", "alone", "only here"];
    if (at === 0) return null;
    const left = lists[at - 1].spec;
    if (!ranks[at - 1].has(id)) return ["new", "", `not in the list of ${left}`];
    const moved = ranks[at - 1].get(id) - rank;
    if (moved === 0) return ["=", "still", `the same rank as in ${left}`];
    return moved > 0 ? [`▲ ${moved}`, "up", `${moved} higher than in ${left}`] : [`▼ ${-moved}`, "down", `${-moved} lower than in ${left}`];
  }

  function row(list, hit, rank, move, words) {
    const name = (!hit.row && hit.title) || hit.id;
    const values = hit.row ? rowText(hit.row, 8) : beyond(hit.title, hit.snippet);
    return make("li", {
      "data-id": hit.id, onpointerenter: () => highlight(hit.id), onpointerleave: () => highlight(null), onfocusin: () => highlight(hit.id), onfocusout: () => highlight(null),
    },
    make("span", { class: "rank", text: rank + 1 }), media(info, hit.id, name),
    make("div", { class: "what" },
      make("strong", { dir: "auto" }, ...marked(name, words)),
      values ? make("span", { class: "snippet", dir: "auto" }, ...marked(values, words)) : null,
      make("span", { class: "facts" }, ...facts(list, hit).map((fact) => make("small", { text: fact })),
        move ? make("span", { class: `move ${move[1]}`, title: move[2] }, make("span", { "aria-hidden": "true", text: move[0] }), make("span", { class: "hidden", text: move[2] })) : null,
        make("span", { class: "links" }, make("a", { class: "more", href: changed({ why: hit.id }), "data-inside": "keep", "aria-label": `Why is ${name} here?`, text: "why here?" }),
        make("a", { class: "more", href: changed({ why: null, q: null, row: null, image: null, sound: null, id: hit.id }), "data-inside": true, "aria-label": `More like ${name}`, text: "more like this" })))));
  }

  function facts(list, hit) {
    const number = hit.distance === undefined || hit.distance === null || list.metric === "dot" ? `score ${numberText(hit.score)}` : `${DISTANCES[list.metric] || "distance"} ${numberText(hit.distance)}`;
    const ranks = hit.ranks && list.spaces ? [`ranks ${hit.ranks.map((rank) => (rank === null ? "–" : rank)).join(", ")}`] : [];
    return [number, ...ranks, ...(hit.label ? [`label ${hit.label}`] : []), ...(!hit.row && hit.title && hit.title !== hit.id ? [hit.id] : []), ...(hit.seconds ? [`${hit.seconds.toFixed(1)} s`] : [])];
  }

  function highlight(id) {
    for (const one of element.querySelectorAll("[data-id]")) one.classList.toggle("same", one.dataset.id === id);
  }

  // A line from every answer to the same one in the next list.
  function connect({ element: gutter, left, right }) {
    const box = gutter.getBoundingClientRect();
    if (!box.width) return;
    const middle = (one) => {
      const place = one.getBoundingClientRect();
      return place.top + Math.min(place.height / 2, 24) - box.top;
    };
    const there = new Map([...right.querySelectorAll("li")].map((one) => [one.dataset.id, one]));
    const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    drawing.setAttribute("aria-hidden", "true");
    for (const one of left.querySelectorAll("li")) {
      if (!there.has(one.dataset.id)) continue;
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      const [from, to, half] = [middle(one), middle(there.get(one.dataset.id)), box.width / 2];
      path.setAttribute("d", `M0 ${from} C${half} ${from} ${half} ${to} ${box.width} ${to}`);
      path.dataset.id = one.dataset.id;
      drawing.append(path);
    }
    gutter.replaceChildren(drawing);
  }

  return { show };
}
