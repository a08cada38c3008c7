/** The item under the pointer: its picture, its title and what colours it. */

import { make } from "../explorer/elements.js";
import { media } from "../parts.js";
import { titleOf } from "../titles.js";

const SOON = 120;

/** Build the box; it follows the pointer. */
export function previewBox(info) {
  const element = make("div", { class: "preview", hidden: true });
  let soon = 0;
  return {
    element,
    hide() {
      element.hidden = true;
    },
    /** Show an item; `say(text)` gets what a screen reader should hear. */
    show(id, facts, say) {
      if (element.dataset.id === id && !element.hidden) return;
      element.dataset.id = id;
      const textOf = (title) => [title, ...facts].join(" · ");
      const title = make("span", { dir: "auto", text: textOf(id) });
      element.replaceChildren(...[info.modality === "image" ? media(info, id, id) : null, title].filter(Boolean));
      element.hidden = false;
      say(textOf(id));
      clearTimeout(soon);
      soon = setTimeout(() => titleOf(info, id).then((found) => {
        if (element.dataset.id !== id || element.hidden) return;
        title.textContent = textOf(found);
        say(textOf(found));
      }, () => {}), SOON);
    },
    follow(event) {
      const width = document.documentElement.clientWidth;
      element.style.left = `${Math.max(8, Math.min(event.clientX + 16, width - 260))}px`;
      element.style.top = `${event.clientY + 16}px`;
    },
  };
}
