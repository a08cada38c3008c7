/** A walk from the code of one item to that of another: what the codes on the way decode to. */

import { go } from "../address.js";
import { ask, pathOf } from "../api.js";
import { choice, make } from "../explorer/elements.js";
import { standing } from "../parts.js";
import { contentElement, rowTable } from "./content.js";

const STEPS = ["3", "5", "8", "12", "16", "24"];
const WORDS = 8;

/** Build the part; `show(space, values, ends, signal)` follows the address. */
export function walk(info) {
  const state = standing();
  const [from, to] = ["walk-from", "walk-to"].map((id) => make("input", { id, type: "text", autocomplete: "off", spellcheck: "false" }));
  const steps = choice("steps", STEPS.map((one) => [one, one]), (value) => go({ steps: value === "8" ? null : value }));
  const form = make("form", { class: "by-id", "aria-label": "Ends of the walk", onsubmit: (event) => {
    event.preventDefault();
    if (from.value && to.value) go({ from: from.value, to: to.value });
  } }, make("label", { for: "walk-from", text: "from the item" }), from, make("label", { for: "walk-to", text: "to the item" }), to, make("button", { type: "submit", class: "main", text: "Walk" }), steps.element);
  const shown = make("div", { class: "walk" });
  const element = make("section", { "aria-label": "Walk between two items" }, form, state.element, shown);

  return {
    element,
    async show(space, values, ends, signal) {
      const [start, end] = [values.get("from") || ends[0], values.get("to") || ends[1]];
      [from.value, to.value, steps.select.value] = [start, end, STEPS.includes(values.get("steps")) ? values.get("steps") : "8"];
      shown.replaceChildren();
      state.say("");
      if (!values.get("from") || !values.get("to")) return;
      state.say("Decoding the codes on the way");
      try {
        draw(await ask(pathOf(info.name, "interpolate"), { space, start, end, steps: Number(steps.select.value) }, signal), start, end);
        state.say("");
      } catch (problem) {
        if (problem.name !== "AbortError") state.fail(problem);
      }
    },
  };

  function draw(found, start, end) {
    const names = found.shares.map((share) => `${Math.round(100 * share)} %`);
    if (found.note) shown.replaceChildren(make("p", { class: "note", text: found.note }));
    else if (found.contents[0].row) shown.replaceChildren(rowTable(`Rows from ${start} to ${end}`, names, found.contents.map((content) => content.row)));
    else {
      shown.replaceChildren(make("ol", { class: "strip-of" }, ...found.contents.map((content, at) => make("li", {},
        make("small", { text: names[at] }), contentElement(content, `${names[at]} of the way from ${start} to ${end}`, { limit: WORDS })))));
    }
  }
}
