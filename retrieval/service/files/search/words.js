/** Words of a query in a text: parts of text and <mark>, never markup. */

import { make } from "../explorer/elements.js";

/** The words of a text, without case. */
export function wordsOf(text) {
  return new Set((text.toLowerCase().match(/[\p{L}\p{N}]+/gu) || []).filter((word) => word.length > 1));
}

/** The parts of a text; words of the query are marked, as are words that begin with a longer one of them. */
export function marked(text, words) {
  if (!words.size) return [text];
  return text.split(/([\p{L}\p{N}]+)/gu).filter(Boolean).map((part) => (isWanted(part.toLowerCase(), words) ? make("mark", { text: part }) : part));
}

/** The first values of a row. */
export function rowText(row, limit = 4) {
  return Object.entries(row || {}).filter(([, value]) => value !== null).slice(0, limit).map(([key, value]) => `${key} ${value}`).join(" · ");
}

/** A snippet without the title that it begins with. */
export function beyond(title, snippet) {
  if (!title || !snippet) return snippet;
  const start = title.replace(/…$/, "");
  return snippet.startsWith(start) ? snippet.slice(start.length).trim() : snippet;
}

function isWanted(word, words) {
  if (words.has(word)) return true;
  for (const one of words) if (one.length > 3 && word.startsWith(one)) return true;
  return false;
}
