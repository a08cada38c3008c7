/** Filters: the values of each field with their counts, one value of a field at a time; and comparisons that are typed. */

import { make } from "../explorer/elements.js";

const FIRST = 8;

/** Build the facets; `change(filters)` gets all as KEY=VALUE. */
export function facets(info, change) {
  let chosen = [];
  const fields = info.filters.filter((filter) => filter.n_values > 1);
  const groups = fields.map(group);
  const title = make("span", { text: "Filters" });
  const clear = make("button", { type: "button", class: "plain", text: "clear all", hidden: true, onclick: () => change([]) });
  const typed = make("input", { id: "filter", type: "text", autocomplete: "off", spellcheck: "false", placeholder: "year>=2004" });
  const add = make("form", { class: "by-id", "aria-label": "Add a filter", onsubmit: (event) => {
    event.preventDefault();
    if (typed.value.trim() && !chosen.includes(typed.value.trim())) change([...chosen, typed.value.trim()]);
    typed.value = "";
  } }, make("label", { for: "filter", text: "another filter" }), typed, make("button", { type: "submit", text: "Add" }));
  const element = make("details", { class: "facets", open: fields.length > 0 && fields.length <= 2 }, make("summary", {}, title), ...groups.map((one) => one.element), add, clear);

  function group(filter) {
    const buttons = Object.entries(filter.values).map(([value, count], at) => {
      const text = `${filter.field}=${value}`;
      return make("button", {
        type: "button", "aria-pressed": "false", "data-filter": text, hidden: at >= FIRST,
        onclick: () => change(chosen.includes(text) ? chosen.filter((one) => one !== text) : [...chosen.filter((one) => !one.startsWith(`${filter.field}=`)), text]),
      }, make("span", { dir: "auto", text: value }), make("small", { text: count.toLocaleString("en") }));
    });
    const rest = buttons.length - FIRST;
    const more = rest > 0 ? make("button", {
      type: "button", class: "plain", text: `${rest} more`, onclick: () => {
        for (const button of buttons) button.hidden = false;
        more.remove();
      },
    }) : null;
    const absent = filter.n_values - buttons.length;
    return { buttons, element: make("div", { role: "group", "aria-label": filter.field }, make("span", { class: "field", text: filter.field }), ...buttons, more,
      absent > 0 ? make("small", { text: `and ${absent.toLocaleString("en")} rarer values` }) : null) };
  }

  return {
    element,
    show(filters) {
      chosen = filters;
      title.textContent = filters.length ? `Filters: ${filters.join(", ")}` : "Filters";
      clear.hidden = !filters.length;
      for (const button of groups.flatMap((one) => one.buttons)) {
        const pressed = filters.includes(button.dataset.filter);
        button.setAttribute("aria-pressed", String(pressed));
        if (pressed) button.hidden = false;
      }
    },
  };
}
