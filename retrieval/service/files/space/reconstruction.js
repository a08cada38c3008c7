/** An item beside its reconstruction; a slider adds components of a sum, or moves one component of any other code. */

import { go, note } from "../address.js";
import { ask, pathOf } from "../api.js";
import { choice, make } from "../explorer/elements.js";
import { numberText, standing } from "../parts.js";
import { contentElement, rowTable } from "./content.js";

const REACH = 3;
const SOON = 60;
/** What of the address belongs to the slider. */
export const UNCHANGED = { first: null, component: null, by: null };

/** Build the part; `show(space, item, values, signal)` follows the address. */
export function reconstruction(info) {
  let [space, item, stop, soon, known] = [null, "", new AbortController(), 0, null];
  const state = standing();
  const id = make("input", { id: "reconstruct-item", type: "text", autocomplete: "off", spellcheck: "false" });
  const form = make("form", { class: "by-id", "aria-label": "Item to reconstruct", onsubmit: (event) => {
    event.preventDefault();
    if (id.value) go({ item: id.value });
  } }, make("label", { for: "reconstruct-item", text: "item with the id" }), id, make("button", { type: "submit", text: "Show" }));
  const component = choice("component", [], () => moved());
  const slider = make("input", { id: "slider", type: "range", oninput: () => moved() });
  const label = make("label", { for: "slider" });
  const controls = make("div", { class: "slider", hidden: true }, component.element, make("div", {}, label, slider));
  const hear = make("button", { type: "button", text: "Make its sound", hidden: true, onclick: () => request(true) });
  const error = make("p", { class: "note", "aria-live": "polite" });
  const shown = make("div", { class: "side-by-side" });
  const element = make("section", { class: "reconstruction", "aria-label": "Reconstruction" }, form, state.element, controls, shown, error, hear);

  const isSum = () => known && known.change === "sum";

  function moved() {
    name();
    note(isSum() ? { first: Number(slider.value) === known.total ? null : slider.value } : { component: component.select.value, by: Number(slider.value) ? slider.value : null });
    clearTimeout(soon);
    soon = setTimeout(() => request(false), SOON);
  }

  function name() {
    const value = Number(slider.value);
    label.textContent = isSum() ? `first ${value} of ${known.total} components` : `moved by ${value > 0 ? "+" : ""}${String(value).replace("-", "−")} standard deviations`;
    slider.setAttribute("aria-valuetext", label.textContent);
  }

  // What the slider can do is known after the first answer.
  function equip(values) {
    controls.hidden = !known.change || known.change === "none";
    if (controls.hidden) return;
    component.element.hidden = isSum();
    if (!isSum()) component.select.replaceChildren(...Array.from({ length: known.total }, (_, at) => make("option", { value: at, text: String(at + 1) })));
    const [least, most, step] = isSum() ? [0, known.total, 1] : [-REACH, REACH, 0.25];
    Object.assign(slider, { min: least, max: most, step });
    const given = values.get(isSum() ? "first" : "by");
    slider.value = given === null || !Number.isFinite(Number(given)) ? (isSum() ? most : 0) : given;
    if (!isSum()) component.select.value = Number(values.get("component")) < known.total ? values.get("component") || 0 : 0;
    name();
  }

  function change() {
    if (!known || controls.hidden) return {};
    return isSum() ? { first: Number(slider.value) } : { component: Number(component.select.value), deviations: Number(slider.value) };
  }

  async function request(sound) {
    stop.abort();
    stop = new AbortController();
    try {
      draw(await decoded({ space, id: item, ...change(), ...(sound && { sound }) }, sound));
    } catch (problem) {
      if (problem.name !== "AbortError") state.fail(problem);
    }
  }

  // The first sound loads a library, which may take longer than one request can.
  async function decoded(body, sound) {
    if (sound) state.say("Making the sound; the first one takes a minute");
    for (let left = sound ? 4 : 0; ; left -= 1) {
      try {
        const found = await ask(pathOf(info.name, "reconstruct"), body, stop.signal);
        state.say("");
        return found;
      } catch (problem) {
        if (problem.status !== 504 || !left) throw problem;
      }
    }
  }

  function draw(found) {
    const what = describe(found);
    hear.hidden = info.modality !== "sound" || found.note !== undefined;
    error.textContent = found.note ? "" : [what, found.error === undefined ? "" : `squared error ${numberText(found.error)}, summed over the values`].filter(Boolean).join(": ");
    if (found.note) shown.replaceChildren(make("p", { class: "note", text: found.note }));
    else if (found.original.row) shown.replaceChildren(rowTable(`Row ${found.id} and its reconstruction`, ["item", "reconstruction"], [found.original.row, found.reconstruction.row]));
    else {
      const words = found.original.words && new Set(Object.keys(found.original.words));
      shown.replaceChildren(...[["item", found.original, null], ["reconstruction", found.reconstruction, words]].map(([title, content, marks]) => make("figure", {},
        make("figcaption", { text: title }), contentElement(content, `${title === "item" ? "" : "reconstruction of "}${found.id}`, { known: marks }))));
    }
  }

  function describe(found) {
    if (found.first !== undefined) return `${found.first} of ${found.total} components`;
    if (found.component !== undefined) return `component ${found.component + 1} is ${numberText(found.value)}, its standard deviation is ${numberText(found.deviation)}`;
    return "";
  }

  return {
    element,
    async show(nextSpace, nextItem, values, signal) {
      stop.abort();
      stop = new AbortController();
      signal.addEventListener("abort", () => stop.abort(), { once: true });
      const isSame = space === nextSpace && item === nextItem && known;
      [space, item, id.value] = [nextSpace, nextItem, nextItem];
      if (!isSame) {
        [known, controls.hidden] = [null, true];
        shown.replaceChildren();
        state.say("Decoding");
        known = await decoded({ space, id: item }, false);
      }
      equip(values);
      if (!controls.hidden && Object.keys(UNCHANGED).some((key) => values.has(key))) await request(false);
      else draw(known);
      return known;
    },
    fail: (problem, again) => state.fail(problem, again),
  };
}
