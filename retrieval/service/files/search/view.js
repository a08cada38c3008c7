/** Search: one query in several spaces, their answers side by side. */

import { address, changed, go } from "../address.js";
import { ask, pathOf } from "../api.js";
import { choice, counted, make } from "../explorer/elements.js";
import { media, spaceBoxes, spacesIn, standing } from "../parts.js";
import { explanation } from "./explanation.js";
import { facets } from "./facets.js";
import { hitLists } from "./hit_lists.js";
import { queryForm } from "./query_form.js";
import { rowText, wordsOf } from "./words.js";

const SHOWN = 4;
const START = 12;
const COUNTS = [5, 10, 20, 50, 100];

/** Build the view in an element; `update(values)` follows the address. */
export function searchView(element, info) {
  let [stop, shown, present] = [new AbortController(), null, null];
  const state = standing();
  const form = queryForm(info, (query, file) => go({ q: null, id: null, row: null, why: null, ...query }, file));
  const spaces = spaceBoxes(info, "Spaces", (specs) => go({ space: specs }));
  const count = choice("answers", COUNTS.map((k) => [k, String(k)]), (value) => go({ k: value }));
  const order = choice("shown as", [["", "lists side by side"], ["rrf", "one list (reciprocal ranks)"]], (value) => go({ fuse: value }));
  order.element.hidden = info.spaces.length < 2;
  const filters = facets(info, (chosen) => go({ filter: chosen }));
  const heard = make("p", { class: "note", "aria-live": "polite" });
  const answers = make("div", { class: "results" });
  const lists = hitLists(answers, info);
  const why = explanation(info, () => address().has("why") && go({ why: null }));
  element.append(form.element,
    make("div", { class: "settings" }, spaces.element, make("div", { class: "choices" }, count.element, order.element)), filters.element,
    state.element, heard, answers, why.element);

  async function update(values) {
    stop.abort();
    stop = new AbortController();
    const { signal } = stop;
    const chosen = spacesIn(info, values, SHOWN);
    const k = COUNTS.includes(Number(values.get("k"))) ? Number(values.get("k")) : 10;
    [count.select.value, order.select.value] = [k, values.get("fuse") === "rrf" ? "rrf" : ""];
    spaces.show(chosen);
    filters.show(values.getAll("filter"));
    const query = form.show(values, history.state);
    if (!query) {
      [shown] = [null, why.close()];
      await begin(signal);
      return;
    }
    // only a question after an answer that is there: no new search
    const wanted = changed({ why: null }, values) + (history.state ? history.state.name : "");
    if (wanted !== shown && !(await searched(values, query, k, chosen, signal))) return;
    shown = wanted;
    if (query.id) form.found(...present);
    if (values.get("why")) await why.show(values.get("why"), query, chosen, signal);
    else why.close();
  }

  async function searched(values, query, k, chosen, signal) {
    shown = null;
    why.close();
    heard.textContent = "";
    state.say("Searching");
    answers.setAttribute("aria-busy", "true");
    const body = { query, k, spaces: chosen, filters: values.getAll("filter"), ...(values.get("fuse") === "rrf" && chosen.length > 1 && { fuse: "rrf" }) };
    try {
      const reply = await ask(pathOf(info.name, "search"), body, signal);
      const [result] = reply.results;
      state.say("");
      present = [result.query.id || query.id, result.query.title];
      lists.show(result, wordsOf(query.text || ""));
      heard.textContent = [summary(result, query.text), ...reply.notes.map(sentence)].join(" ");
      return true;
    } catch (error) {
      if (error.name === "AbortError") return false;
      answers.replaceChildren();
      state.fail(error, error.status === 422 || error.status === 404 ? null : () => update(address()));
      if (error.status === undefined) throw error;
      return false;
    } finally {
      if (!signal.aborted) answers.removeAttribute("aria-busy");
    }
  }

  const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;

  function inSpaces(counts) {
    const [least, most] = [Math.min(...counts), Math.max(0, ...counts)];
    return `${least < most ? `${least.toLocaleString("en")} to ` : ""}${counted(most, "answer")} in ${counts.length > 1 ? "each of " : ""}${counted(counts.length, "space")}`;
  }

  function summary(result, text) {
    const found = result.hits ? counted(result.hits.length, "answer") : inSpaces(result.spaces.map((space) => (space.hits || []).length));
    const among = address().getAll("filter");
    return `${text ? `“${text}”: ` : ""}${found}${among.length ? `, among ${among.join(", ")}` : ""}.`;
  }

  // Without a query: some items to begin with.
  async function begin(signal) {
    answers.replaceChildren();
    heard.textContent = "";
    state.say("Loading items");
    try {
      const page = await ask(pathOf(info.name, `items?limit=${START}`), null, signal);
      state.say("");
      heard.textContent = `${counted(page.total, "item")} in ${counted(info.spaces.length, "space")}. Ask for something, or begin with an item:`;
      answers.replaceChildren(make("ul", { class: "items" }, ...page.items.map((item) => make("li", {},
        media(info, item.id, item.title || item.id),
        make("a", { href: changed({ q: null, row: null, id: item.id }), "data-inside": true, dir: "auto", text: item.title || item.id }),
        ...[rowText(item.row), item.label && `label ${item.label}`].filter(Boolean).map((text) => make("small", { text }))))));
    } catch (error) {
      if (error.name !== "AbortError") state.fail(error, () => update(address()));
    }
  }

  return { update, close: () => stop.abort() };
}
