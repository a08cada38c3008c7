/** Compare: the verdict, the table, and the queries in two spaces, by the explorer of the one-file report. */

import { address, go } from "../address.js";
import { follow, pathOf } from "../api.js";
import { explore } from "../explorer/explorer.js";
import { choice, counted, make } from "../explorer/elements.js";
import { spaceBoxes, spacesIn, standing } from "../parts.js";
import { comparisonTable } from "./table.js";

const KEY = "compare";
/** The rungs of the label ladder: what says which answers are relevant. */
const RUNGS = [["", "what the collection has"], ["qrels", "judgements (qrels)"], ["labels", "labels"], ["known-item", "known items"], ["agreement", "agreement of the spaces"]];

/** Build the view in an element; `update(values)` follows the address. */
export function compareView(element, info) {
  let [stop, shown, explorer] = [new AbortController(), "", null];
  const state = standing();
  const spaces = spaceBoxes(info, "Spaces", (specs) => {
    start.disabled = specs.length < 1;
  });
  const judge = choice("judged by", RUNGS, () => {});
  const start = make("button", { type: "submit", class: "main", text: "Compare" });
  const form = make("form", { class: "settings", "aria-label": "What to compare", onsubmit: (event) => {
    event.preventDefault();
    shown = "";
    go({ space: spaces.chosen(), judged: judge.select.value, run: 1 });
  } }, spaces.element, judge.element, start);
  const result = make("div", { class: "comparison" });
  element.append(form, make("p", { class: "note", text: "Every space answers the queries of the collection, or its items in turn, and the answers are judged by qrels or labels. This can take minutes." }), state.element, result);

  async function update(values) {
    const chosen = spacesIn(info, values, info.spaces.length);
    spaces.show(chosen);
    const rung = RUNGS.some(([one]) => one === values.get("judged")) ? values.get("judged") : "";
    judge.select.value = rung;
    const wanted = values.get("run") ? [rung, ...chosen].join("\n") : "";
    if (wanted === shown) return;
    stop.abort();
    stop = new AbortController();
    shown = wanted;
    leave();
    result.replaceChildren();
    state.say("");
    if (!wanted) return;
    try {
      await run({ spaces: chosen, ...(rung && { judged_by: rung }) }, stop.signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      shown = "";
      state.fail(error, error.status === 422 ? null : () => update(address()));
      if (error.status === undefined) throw error;
    }
  }

  async function run(body, signal) {
    state.say(`Comparing ${counted(body.spaces.length, "space")}`);
    const hear = (text) => state.say(text || "Comparing");
    const found = await follow(pathOf(info.name, "compare"), body, signal, hear);
    result.replaceChildren(
      make("h3", { class: "answer", text: found.answer, tabindex: -1 }),
      make("p", { class: "note", text: `${counted(found.n_queries, "query", "queries")} over ${counted(found.n_items, "item")}, judged by ${found.judged_by}.` }),
      comparisonTable(info, found),
      ...found.notes.map((text) => make("p", { class: "note", text })));
    if (found.spaces.length < 2) {
      state.say("");
      return;
    }
    state.say("Preparing the queries");
    const data = await follow(pathOf(info.name, "compare/explorer"), body, signal, hear);
    state.say("");
    const place = make("div", { class: "explorer", id: `${KEY}-explorer` });
    result.append(make("h3", { text: "Where do two spaces differ?" }), place);
    explorer = explore(place, data, KEY, info.name);
  }

  function leave() {
    if (explorer) explorer.stop();
    explorer = null;
  }

  return {
    update,
    close() {
      stop.abort();
      leave();
    },
  };
}
