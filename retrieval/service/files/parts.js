/** Parts of several views: states of loading, names of spaces, pictures and players of items. */

import { showMedia } from "./api.js";
import { make } from "./explorer/elements.js";

/** Okabe and Ito's colours; a space has the same one in every view. */
export const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D46", "#F0E442"];

/** An element that says what is being done, or what went wrong; screen readers hear both. */
export function standing() {
  const element = make("div", { class: "standing", role: "status", hidden: true });
  return {
    element,
    say(text, busy = true) {
      element.hidden = !text;
      element.replaceChildren(...(text ? [...(busy ? [make("i", { class: "busy", "aria-hidden": "true" })] : []), make("span", { text })] : []));
    },
    fail(error, again) {
      element.hidden = false;
      element.replaceChildren(make("div", { class: "problem", role: "alert" }, make("p", { text: error.message }),
        again ? make("button", { type: "button", text: "Try again", onclick: again }) : null));
    },
  };
}

/** A space by its colour and spec. */
export function spaceName(info, spec) {
  const swatch = make("i", { class: "swatch", "aria-hidden": "true" });
  swatch.style.background = colourOf(info, spec);
  return [swatch, make("code", { text: spec })];
}

/** The colour of a space. */
export function colourOf(info, spec) {
  return COLOURS[Math.max(0, info.spaces.findIndex((space) => space.spec === spec)) % COLOURS.length];
}

/** The picture of an item, or a player of its sound; nothing for other items. */
export function media(info, id, name) {
  if (info.modality === "image") {
    const picture = make("img", { class: "thumb", alt: name, loading: "lazy", onload: () => picture.classList.toggle("pixel", picture.naturalWidth < 64) });
    showMedia(picture, info.name, id);
    return picture;
  }
  if (info.modality === "sound") {
    const player = make("audio", { controls: true, preload: "none", "aria-label": `Sound of ${name}` });
    showMedia(player, info.name, id);
    return player;
  }
  return null;
}

/** Boxes to choose spaces; `change(specs)` gets all that are chosen, in the order of the collection. */
export function spaceBoxes(info, legend, change) {
  const boxes = info.spaces.map((space) => make("input", { type: "checkbox", value: space.spec, onchange: () => change(chosen()) }));
  const chosen = () => boxes.filter((box) => box.checked).map((box) => box.value);
  const element = make("fieldset", { class: "boxes" }, make("legend", { text: legend }),
    ...boxes.map((box) => make("label", {}, box, ...spaceName(info, box.value))));
  return {
    element, chosen,
    show(specs) {
      for (const box of boxes) box.checked = specs.includes(box.value);
    },
  };
}

/** The spaces that the address names; the first few without any. */
export function spacesIn(info, values, count) {
  const known = info.spaces.map((space) => space.spec);
  const named = known.filter((spec) => values.getAll("space").includes(spec));
  return named.length ? named : known.slice(0, count);
}

/** A table that scrolls sideways by itself, with a name for screen readers. */
export function scrolling(name, head, rows) {
  return make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": name }, make("table", {},
    make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col", text })))), make("tbody", {}, ...rows)));
}

/** A number as people read it. */
export function numberText(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  return value.toLocaleString("en", Number.isInteger(value) ? {} : { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
}
