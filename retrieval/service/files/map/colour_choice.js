/** The choice of what colours a map: the way, the number of clusters, and the query whose scores are shown. */

import { go } from "../address.js";
import { choice, make } from "../explorer/elements.js";
import { WAYS } from "./colouring.js";

const COUNTS = ["2", "3", "4", "5", "6", "8", "10", "12", "15", "20", "28"];
/** What ends with another colouring: the classes and the query were of the old one. */
const NOTHING = { clusters: null, q: null, id: null, group: null, label: null };

/** Build the choice; `show(values)` follows the address. */
export function colourChoice(info) {
  const way = choice("colour by", waysOf(info), (value) => go({ ...NOTHING, colour: value }));
  const count = choice("clusters", [["", "automatic"], ...COUNTS.map((one) => [one, one])], (value) => go({ clusters: value, group: null }));
  const words = info.modality === "text" ? make("input", { id: "colour-words", type: "search", autocomplete: "off", dir: "auto" }) : null;
  const item = make("input", { id: "colour-item", type: "text", autocomplete: "off", spellcheck: "false" });
  const query = make("form", { class: "by-id", role: "search", "aria-label": "Query whose scores colour the map", onsubmit: (event) => {
    event.preventDefault();
    const q = words && words.value.trim();
    go({ q: q || null, id: q ? null : item.value || null });
  } }, ...(words ? [make("label", { for: "colour-words", text: "words" }), words, make("label", { for: "colour-item", text: "or item with the id" })] : [make("label", { for: "colour-item", text: "item with the id" })]),
  item, make("button", { type: "submit", text: "Show" }));
  return {
    element: make("div", { class: "choices colours" }, way.element, count.element, query),
    show(values) {
      const colour = wayIn(values, info);
      [way.select.value, count.select.value, item.value] = [colour, COUNTS.includes(values.get("clusters")) ? values.get("clusters") : "", values.get("id") || ""];
      if (words) words.value = values.get("q") || "";
      count.element.hidden = colour !== "cluster";
      query.hidden = colour !== "score";
    },
  };
}

// Where no item has a label, labels colour nothing.
function waysOf(info) {
  return info.filters.some((one) => one.field === "label" && one.items) ? WAYS : WAYS.filter(([way]) => way);
}

/** The way to colour that an address names; if it names none, by label, or by cluster where there are no labels. */
export function wayIn(values, info) {
  const ways = waysOf(info).map(([way]) => way);
  return ways.includes(values.get("colour")) ? values.get("colour") : ways[0];
}

/** The parameters of a request for the colours that an address names; null where labels suffice, or a query is missing. */
export function colourParameters(values, info) {
  const way = wayIn(values, info);
  const given = { cluster: { clusters: COUNTS.includes(values.get("clusters")) && values.get("clusters") }, score: values.get("q") ? { text: values.get("q") } : { id: values.get("id") }, hubness: {} }[way];
  if (!given || (way === "score" && !given.text && !given.id)) return null;
  return new URLSearchParams(Object.entries({ colour: way, ...given }).filter(([, value]) => value)).toString();
}
