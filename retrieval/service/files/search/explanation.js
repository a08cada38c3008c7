/** Why an item answers the query: its rank and score in each space, and the words that make the score. */

import { ask, pathOf } from "../api.js";
import { make } from "../explorer/elements.js";
import { numberText, scrolling, spaceName, standing } from "../parts.js";
import { titleOf } from "../titles.js";

const DISTANCES = { cosine: "1 − cosine", euclidean: "distance", hamming: "bits" };

/** Build the dialog; `leave()` is called when the person closes it. */
export function explanation(info, leave) {
  const state = standing();
  const title = make("h2", { id: "why-title" });
  const body = make("div", {});
  const dialog = make("dialog", { class: "why", "aria-labelledby": "why-title", onclose: () => leave() },
    title, state.element, body, make("button", { type: "button", class: "main", text: "Close", onclick: () => dialog.close() }));

  return {
    element: dialog,
    close() {
      if (dialog.open) dialog.close();
    },
    async show(id, query, spaces, signal) {
      const name = make("span", { dir: "auto", text: id });
      title.replaceChildren("Why is “", name, "” here?");
      titleOf(info, id).then((found) => { name.textContent = found; }, () => {});
      body.replaceChildren();
      if (!dialog.open) dialog.showModal();
      state.say("Asking every space");
      try {
        const found = await ask(pathOf(info.name, "explain"), { query, id, spaces }, signal);
        state.say("");
        body.replaceChildren(scrolling("Rank and score in every space", ["space", "rank", "score", "words that make the score"], found.spaces.map(row)));
      } catch (error) {
        if (error.name !== "AbortError") state.fail(error);
      }
    },
  };

  function row(one) {
    const { metric } = info.spaces.find((space) => space.spec === one.spec);
    const number = one.distance === undefined ? numberText(one.score) : `${DISTANCES[metric] || "distance"} ${numberText(one.distance)}`;
    const rank = one.rank === undefined ? "beyond 1,000" : one.rank.toLocaleString("en");
    return make("tr", {}, make("th", { scope: "row" }, ...spaceName(info, one.spec)),
      ...(one.note ? [make("td", { colspan: 3, class: "words", text: one.note })] : [make("td", { text: rank }), make("td", { text: number }), make("td", { class: "words" }, ...words(one))]));
  }

  // Each word with its part of the score, as a number and as a share.
  function words({ words: parts = {}, score }) {
    const pairs = Object.entries(parts);
    if (!pairs.length) return ["–"];
    const list = pairs.map(([word, part]) => make("li", {}, make("strong", { dir: "auto", text: word }), ` ${numberText(part)}`, make("small", { text: score > 0 ? ` ${Math.round((100 * part) / score)} %` : "" })));
    return [make("ul", {}, ...list)];
  }
}
