/** Every explorer of a page: its data lies beside it. The section is shown only now, when something can be done with it. */

import { explore } from "./explorer.js";
import { readFragment } from "./fragment.js";

// A link to what somebody saw opens there; a reload, or a step back, stays where the reader was.
const isLink = performance.getEntriesByType("navigation").some((one) => one.type === "navigate");

for (const section of document.querySelectorAll("[data-explorer]")) {
  const key = section.dataset.explorer;
  const data = JSON.parse(document.getElementById(`${key}-explorer-data`).textContent);
  section.hidden = false;
  for (const link of document.querySelectorAll(`a[data-opens="${key}"]`)) link.hidden = false;
  explore(section.querySelector(".explorer"), data, key, document.getElementById(`${key}-corpus`).textContent);
  if (isLink && readFragment(key).explore) section.scrollIntoView();
}
