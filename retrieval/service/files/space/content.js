/** What a code decodes to, as an element: a picture, a sound, words with weights, or numbers; rows are compared in a table. */

import { make } from "../explorer/elements.js";
import { numberText, scrolling } from "../parts.js";

const NUMBERS = 12;

/** One content; `known` are words to mark, `limit` is how many words are listed. */
export function contentElement(content, name, { known = null, limit = 30 } = {}) {
  const parts = [];
  if (content.image) {
    const picture = make("img", { class: "decoded", alt: name, onload: () => picture.classList.toggle("pixel", picture.naturalWidth < 100) });
    picture.src = `data:image/png;base64,${content.image}`;
    parts.push(picture);
  }
  if (content.sound) parts.push(make("audio", { controls: true, preload: "none", "aria-label": `Sound of ${name}`, src: `data:audio/wav;base64,${content.sound}` }));
  if (content.words) parts.push(wordList(content.words, known, limit));
  if (content.vector) parts.push(make("code", { text: `${content.vector.slice(0, NUMBERS).map((value) => numberText(value)).join("  ")}${content.vector.length > NUMBERS ? "  …" : ""}` }));
  return make("div", { class: "content" }, ...parts);
}

// The longer its bar, the larger the weight of a word.
function wordList(words, known, limit) {
  const pairs = Object.entries(words).slice(0, limit);
  if (!pairs.length) return make("p", { class: "note", text: "no word" });
  const most = pairs[0][1];
  return make("ol", { class: "weights" }, ...pairs.map(([word, weight]) => {
    const bar = make("i", { "aria-hidden": "true" });
    bar.style.width = `${(100 * weight) / most}%`;
    return make("li", {}, make("span", { class: "bar-of" }, bar), known && known.has(word) ? make("mark", { text: word }) : make("span", { text: word }), make("small", { text: numberText(weight) }));
  }));
}

/** Rows of one table beside each other: a line for each column. */
export function rowTable(name, heads, rows) {
  const columns = Object.keys(rows[0]);
  const text = (value) => (typeof value === "number" ? numberText(value) : value ?? "–");
  return scrolling(name, ["column", ...heads], columns.map((column) => make("tr", {}, make("th", { scope: "row", text: column }), ...rows.map((row) => make("td", { text: text(row[column]) })))));
}
