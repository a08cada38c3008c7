/** The components of a space as words or pictures. */

import { counted, make } from "../explorer/elements.js";

const FIRST = 12;
const [MORE, LESS] = [[213, 94, 0], [0, 114, 178]];

/** The list as an element: the first ones, and all on request. */
export function componentList(found) {
  const noun = found.clusters ? "cluster" : "component";
  const parts = found.components.map((one, at) => make("li", {},
    one.picture ? picture(one.picture, found.shape, `${noun} ${at + 1}`) : null,
    make("strong", { text: one.picture ? String(at + 1) : `${noun} ${at + 1}` }),
    one.more.length ? make("span", { class: "snippet", text: one.more.join(", ") }) : null,
    one.less.length ? make("span", { class: "snippet", text: `against ${one.less.join(", ")}` }) : null));
  const shown = parts.length < found.total ? `The first ${parts.length} of ${counted(found.total, noun)}` : counted(found.total, noun);
  for (const part of parts.slice(FIRST)) part.hidden = true;
  const more = parts.length > FIRST ? make("button", { type: "button", text: `Show ${parts.length - FIRST} more`, onclick: () => {
    for (const part of parts) part.hidden = false;
    parts[FIRST].tabIndex = -1;
    parts[FIRST].focus();
    more.remove();
  } }) : null;
  return make("div", {}, make("p", { class: "note", text: `${shown}${found.ordered ? ", most important first" : ""}.${found.signed && found.shape ? " Orange adds, blue takes away." : ""}` }),
    make("ul", { class: `items ${found.shape ? "" : "wide"}` }, ...parts), more);
}

// Values from -1 to 1 in base64 as bytes from 0 to 254; 127 is nothing.
function picture(text, [height, width], name) {
  const canvas = make("canvas", { class: "component", role: "img", "aria-label": name, width, height });
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(width, height);
  const bytes = atob(text);
  for (let at = 0; at < width * height; at += 1) {
    const value = (bytes.charCodeAt(at) - 127) / 127;
    image.data.set(value < 0 ? LESS : MORE, 4 * at);
    image.data[4 * at + 3] = Math.round(255 * Math.abs(value)); // where there is nothing, the paper is seen, light or dark
  }
  pen.putImageData(image, 0, 0);
  return canvas;
}
