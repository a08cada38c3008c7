/** The explorer: two spaces and a measure are chosen; plot, list, answers, items and maps follow. */

import { answerLists } from "./answers.js";
import { readModel } from "./data.js";
import { choice, counted, make, spriteRule } from "./elements.js";
import { readFragment, writeFragment } from "./fragment.js";
import { itemTable } from "./item_table.js";
import { linkedMaps } from "./maps.js";
import { hasMeasure, ordered, pairOf } from "./pair.js";
import { queryList } from "./query_list.js";
import { scatterPlot } from "./scatter.js";

const SORTS = [
  ["difference", "largest difference"], ["first", "first space better"], ["second", "second space better"],
  ["shared", "fewest shared answers"], ["corpus", "order of the corpus"],
];

/** Build the explorer of the comparison `name` inside an element. `raw` is the parsed JSON; nothing is fetched. `stop()` lets go of the address. */
export function explore(element, raw, key, name) {
  const model = readModel(raw);
  const everyQuery = Array.from({ length: model.count }, (_, query) => query);
  const state = startState(model, key);
  let [pair, order, orderKey, group, subset] = [null, everyQuery, "", [], null];
  let returnTo = null;
  spriteRule(model, key);

  const first = choice("first space", model.spaces.map((space, at) => [at, space.label]), (value) => set({ a: Number(value) }));
  const second = choice("second space", model.spaces.map((space, at) => [at, space.label]), (value) => set({ b: Number(value) }));
  const measure = choice("measure", model.measures.map((name, at) => [at, name]), (value) => set({ m: Number(value) }));
  const sort = choice("order", SORTS, (value) => set({ sort: value }));
  const find = make("input", { type: "search", "aria-label": "Find queries", placeholder: "find queries …", oninput: () => set({ find: find.value }) });
  const swap = make("button", { type: "button", class: "swap", "aria-label": "Exchange the two spaces", text: "⇄", onclick: () => set({ a: state.b, b: state.a }) });
  const all = make("button", { type: "button", class: "all", text: "show all queries", hidden: true, onclick: () => set({ lasso: null, item: -1, find: "" }) });
  const sentence = make("p", { class: "sentence", "aria-live": "polite" });
  const [plotArea, listArea, answerArea, itemArea, mapArea] = ["plot", "list", "answer", "items", "maps"].map((name) => make("div", { class: `${name}-area` }));

  const plot = scatterPlot(plotArea, model, (queries, bykey) => {
    const at = queries.indexOf(state.query);
    open(queries[(at + 1) % queries.length], queries, plot.canvas, bykey);
  }, close);
  listArea.append(make("div", { class: "list-head" }, sort.element, find), make("div", { class: "columns-head", "aria-hidden": "true" },
    make("span", { text: model.sprite && model.labels.length ? "query · label" : "query" }), make("span", {}, make("i", { class: "swatch first" }), "first"), make("span", { text: "difference" }), make("span", {}, make("i", { class: "swatch second" }), "second"), make("span", { text: "shared" })));
  const list = queryList(listArea, model, key, (query) => open(query, [query], list.list), () => answers.panel.focus(), close);
  const answers = answerLists(answerArea, model, step, close);
  const items = itemTable(itemArea, model, name, chooseItem);
  const maps = model.map ? linkedMaps(mapArea, model, chooseItem, (lasso) => set({ lasso, item: -1, label: lasso ? state.label : -1 }), (label) => set({ label })) : null;

  element.append(
    make("p", { class: "note", text: "Every dot is a query, a larger one several: its value in the first space to the right, in the second upwards. Choose a dot, or a row of the list, to see its answers in both spaces side by side. By keyboard: Tab, arrows, Enter, Escape." }),
    make("div", { class: "controls" }, first.element, swap, second.element, measure.element),
    sentence, all,
    make("div", { class: "overview" }, plotArea, listArea),
    answerArea,
    make("h4", { text: "Items whose neighbourhoods differ most" }),
    make("p", { class: "note", text: "Neighbours of an item: its answers, if it is a query, and the queries that find it. The first items have more neighbours in only one space than an average item with as many neighbours. Choose an item to see its answers, or the queries that find it." }),
    itemArea);
  if (maps) {
    const queriesAreItems = everyQuery.some((query) => model.itemOf(query) >= 0);
    element.append(make("h4", { text: "Maps" }),
      make("p", { class: "note", text: `${counted(model.map.items.length, "item")} by the ${model.map.method} of each space, the second turned to the first. Point at an item, choose it, or draw a line around several: both maps and the list follow. ${queriesAreItems ? "Lines lead from the chosen query to its answers." : "Rings mark the answers to the chosen query, which is not an item and so has no dot."}` }),
      mapArea);
  }
  const follow = () => {
    if (readFragment(key).explore) set(startState(model, key));
  };
  window.addEventListener("hashchange", follow);

  function open(query, queries, from, bykey = false) {
    [group, returnTo] = [queries, from];
    set({ query, item: -1 });
    if (bykey) answers.panel.focus();
  }

  function step(by) {
    const among = group.length > 1 ? group : order;
    const at = among.indexOf(state.query);
    set({ query: among[(at + by + among.length) % among.length] });
    answers.panel.focus();
  }

  function close() {
    const inside = answers.panel.contains(document.activeElement);
    set({ query: -1 });
    if (inside && returnTo) returnTo.focus();
  }

  function chooseItem(item) {
    const query = model.queryOf(item);
    if (query >= 0) [group, returnTo] = [[query], document.activeElement];
    set(query >= 0 ? { query, item } : { item });
    if (query >= 0) answers.panel.scrollIntoView({ block: "nearest" });
  }

  // The queries that are shown: inside the lasso, found by the chosen item, with the words that are looked for.
  function chosenQueries(inside) {
    const words = state.find.trim().toLowerCase();
    const item = state.item >= 0 && model.queryOf(state.item) < 0 ? state.item : -1;
    if (!inside && !words && item < 0) return null;
    const finds = (query) => model.list(pair.first, query).includes(item) || model.list(pair.second, query).includes(item);
    const reached = (query) => (model.itemOf(query) >= 0 ? inside.has(model.itemOf(query)) : model.list(pair.first, query).some((one) => inside.has(one)));
    return everyQuery.filter((query) => (!inside || reached(query)) && (item < 0 || finds(query))
      && (!words || `${model.queryName(query)} ${model.queryId(query)} ${model.labelName(model.itemOf(query))}`.toLowerCase().includes(words)));
  }

  function set(changes) {
    Object.assign(state, changes);
    if (![state.a, state.b].every((space) => hasMeasure(model, space, state.m))) {
      state.m = Math.max(0, model.measures.findIndex((_, at) => [state.a, state.b].every((space) => hasMeasure(model, space, at))));
    }
    if (!pair || pair.first !== state.a || pair.second !== state.b || pair.measure !== state.m) {
      pair = pairOf(model, state.a, state.b, state.m);
      group = [];
    }
    const inside = maps ? maps.update(pair, { query: state.query, item: state.item, label: state.label, lasso: state.lasso }) : null;
    const lassoKey = state.lasso ? `${state.lasso.side}:${state.lasso.corners.join()}` : "";
    const wanted = [state.a, state.b, state.m, state.sort, state.find, lassoKey, model.queryOf(state.item) < 0 ? state.item : -1].join("|");
    if (wanted !== orderKey) {
      orderKey = wanted;
      const chosen = chosenQueries(inside);
      subset = chosen && new Set(chosen);
      order = ordered(pair, chosen || everyQuery, state.sort);
    }
    element.style.setProperty("--first", model.spaces[state.a].colour);
    element.style.setProperty("--second", model.spaces[state.b].colour);
    [first.select.value, second.select.value, measure.select.value, sort.select.value] = [state.a, state.b, state.m, state.sort];
    for (const [at, option] of [...measure.select.options].entries()) option.disabled = ![state.a, state.b].every((space) => hasMeasure(model, space, at));
    if (find.value !== state.find) find.value = state.find;
    all.hidden = subset === null;
    sentence.textContent = tell();
    plot.update(pair, state.query, subset);
    list.update(pair, order, state.query);
    answers.update(pair, state.query, group.length ? group : [state.query]);
    items.update(pair);
    writeState();
  }

  function tell() {
    const { better, equal, worse, shared } = pair.tally;
    const [left, right] = [model.spaces[pair.first].label, model.spaces[pair.second].label];
    return `${left} is better on ${counted(better, "query", "queries")}, ${right} on ${worse.toLocaleString("en")}; ${equal.toLocaleString("en")} are equal. Of ${model.depth} answers, ${shared.toFixed(1)} are in both lists on average.`;
  }

  let written = false;
  function writeState() {
    if (!written) {
      written = true;
      return;
    }
    writeFragment(key, {
      a: state.a, b: state.b, m: model.measures[state.m], sort: state.sort === "difference" ? "" : state.sort, find: state.find,
      q: state.query < 0 ? "" : model.queryId(state.query), item: state.item < 0 ? "" : model.itemId(state.item),
      label: state.label < 0 ? "" : model.labels[state.label],
      lasso: state.lasso ? [state.lasso.side, ...state.lasso.corners.flat()].join(".") : "",
    });
  }

  set({});
  return { model, state, set, plot, maps, stop: () => window.removeEventListener("hashchange", follow) };
}

/** The state that the address asks for; what it does not know is left at its default. */
export function startState(model, key) {
  const given = readFragment(key);
  const space = (text, otherwise) => (model.spaces[Number(text)] && text !== undefined ? Number(text) : otherwise);
  const numbers = (given.lasso || "").split(".").map(Number);
  const corners = [];
  for (let at = 1; at + 1 < numbers.length; at += 2) corners.push([numbers[at], numbers[at + 1]]);
  const isLasso = corners.length > 2 && numbers.every(Number.isFinite) && [0, 1].includes(numbers[0]);
  let query = -1;
  for (let at = 0; given.q !== undefined && query < 0 && at < model.count; at += 1) if (model.queryId(at) === given.q) query = at;
  let item = -1;
  for (let at = 0; given.item !== undefined && item < 0 && at < model.items; at += 1) if (model.itemId(at) === given.item) item = at;
  return {
    a: space(given.a, 0), b: space(given.b, 1), m: Math.max(0, model.measures.indexOf(given.m)), query, item,
    sort: SORTS.some(([name]) => name === given.sort) ? given.sort : "difference", find: given.find || "",
    label: model.labels.indexOf(given.label), lasso: isLasso ? { side: numbers[0], corners } : null,
  };
}
