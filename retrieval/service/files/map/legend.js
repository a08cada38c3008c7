/** Legends: classes as buttons that select them, numbers as a ramp with its ends and its unit. */

import { counted, make } from "../explorer/elements.js";
import { CLASSES } from "./colouring.js";

/** The legend of a colouring; `choose(group)` hears which class a person takes. */
export function legendOf(colouring, name, choose) {
  const buttons = colouring.groups.slice(0, CLASSES).map((group) => {
    const dot = make("i", { class: group.look.shape, "aria-hidden": "true" });
    dot.style.background = group.look.colour || "var(--soft)";
    return make("button", { type: "button", "data-group": group.at, "data-label": colouring.by ? null : group.name, "aria-pressed": "false", onclick: () => choose(group) },
      dot, make("span", { dir: "auto", text: group.name }), make("small", { text: group.count.toLocaleString("en") }));
  });
  const more = colouring.groups.length - CLASSES;
  const title = colouring.info ? make("p", { class: "note", text: `${colouring.info.name} (${colouring.info.unit})${colouring.info.note ? `; ${colouring.info.note}` : ""}` }) : null;
  const element = make("div", { class: "legend", role: "group", "aria-label": name }, title, colouring.ramp ? ramp(colouring.ramp) : null, ...buttons,
    more > 0 ? make("small", { text: `and ${counted(more, "label")} in grey` }) : null,
    colouring.absent ? make("small", { text: `grey: ${counted(colouring.absent, "item")} without a value` }) : null);
  return {
    element,
    /** Mark the class that is selected; -1 for none. */
    press(at) {
      for (const button of buttons) button.setAttribute("aria-pressed", String(Number(button.dataset.group) === at));
    },
  };
}

// The strongest colour is that of near items, and of hubs.
function ramp({ low, high, isCut, reversed }) {
  const [least, most] = [`${isCut[0] ? "≤ " : ""}${low}`, `${isCut[1] ? "≥ " : ""}${high}`];
  const [from, to] = reversed ? [most, least] : [least, most];
  return make("span", { class: "ramp" }, make("span", { text: from }), make("i", { role: "img", "aria-label": `colours from ${from} to ${to}` }), make("span", { text: to }));
}
