/** The query: words, a picture or sound file, a row, or an item. */

import { make } from "../explorer/elements.js";
import { media } from "../parts.js";

const MAX_BYTES = 7_000_000;

/** Build the form. `search(query, file)` gets values for the address, and a file for the history. */
export function queryForm(info, search) {
  const problem = make("p", { class: "problem", role: "alert", hidden: true });
  const present = make("div", { class: "present", hidden: true });
  const inputs = { text: wordsInput, row: rowInput, image: fileInput, sound: fileInput }[info.modality];
  const part = inputs ? inputs(info, search, complain) : null;
  const id = make("input", { id: "query-id", type: "text", autocomplete: "off", spellcheck: "false" });
  const byId = make("form", { class: "by-id", role: "search", "aria-label": "Search by id", onsubmit: (event) => {
    event.preventDefault();
    if (id.value) search({ id: id.value }, null);
  } }, make("label", { for: "query-id", text: "items like the item with the id" }), id, make("button", { type: "submit", text: "Find" }));
  const element = make("div", { class: "query-form" }, part && part.element, byId, problem, present);

  function complain(text) {
    problem.hidden = !text;
    problem.textContent = text;
  }

  function introduce(name, picture) {
    present.hidden = false;
    present.replaceChildren(...[picture, make("span", {}, "Items like ", make("strong", { dir: "auto", text: name }))].filter(Boolean));
  }

  return {
    element,
    /** Say which item the answers are like. */
    found: (item, title) => introduce(title || item, media(info, item, title || item)),
    /** Show what the address asks; return the query of the API, or null. */
    show(values, file) {
      complain("");
      const item = values.get("id");
      const content = !item && part && part.read(values, file);
      if (part) part.show(values, file);
      id.value = item || "";
      present.hidden = true;
      if (content && file) introduce(file.name, part.preview(file));
      return item ? { id: item } : content || null;
    },
  };
}

function wordsInput(info, search) {
  const words = make("input", { id: "query", type: "search", autocomplete: "off", placeholder: "words", dir: "auto" });
  const element = make("form", { class: "by-words", role: "search", "aria-label": "Search by words", onsubmit: (event) => {
    event.preventDefault();
    search({ q: words.value.trim() }, null);
  } }, make("label", { class: "hidden", for: "query", text: "Words to search for" }), words, make("button", { type: "submit", class: "main", text: "Search" }));
  return {
    element,
    read: (values) => (values.get("q") ? { text: values.get("q") } : null),
    show(values) {
      words.value = values.get("q") || "";
    },
  };
}

function rowInput(info, search) {
  const cells = info.columns.map((name, at) => make("input", { id: `cell-${at}`, type: "text", autocomplete: "off", "data-column": name }));
  const element = make("form", { class: "by-row", role: "search", "aria-label": "Search by values", onsubmit: (event) => {
    event.preventDefault();
    const row = Object.fromEntries(cells.filter((cell) => cell.value !== "").map((cell) => [cell.dataset.column, cell.value]));
    search({ row: Object.keys(row).length ? JSON.stringify(row) : null }, null);
  } }, make("details", { open: cells.length <= 12 }, make("summary", { text: "Values of a row; leave out what you do not know" }),
    make("div", { class: "cells" }, ...cells.map((cell) => make("div", {}, make("label", { for: cell.id, text: cell.dataset.column }), cell))),
  make("button", { type: "submit", class: "main", text: "Search" })));
  const rowOf = (values) => {
    try {
      const row = JSON.parse(values.get("row") || "null");
      return row && typeof row === "object" && !Array.isArray(row) ? row : null;
    } catch {
      return null;
    }
  };
  return {
    element,
    read: (values) => (rowOf(values) ? { row: rowOf(values) } : null),
    show(values) {
      const row = rowOf(values) || {};
      for (const cell of cells) cell.value = row[cell.dataset.column] ?? "";
    },
  };
}

function fileInput(info, search, complain) {
  const noun = info.modality === "image" ? "picture" : "sound";
  let previewed = "";
  const accept = info.modality === "image" ? "image/*" : "audio/wav,audio/flac,.wav,.flac";
  const file = make("input", { id: "query-file", type: "file", accept, onchange: () => file.files[0] && take(file.files[0]) });
  const element = make("div", {
    class: "drop",
    ondragover: (event) => {
      event.preventDefault();
      element.classList.add("over");
    },
    ondragleave: () => element.classList.remove("over"),
    ondrop: (event) => {
      event.preventDefault();
      element.classList.remove("over");
      if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
    },
  }, make("label", { for: "query-file", text: `Choose a ${noun} file, or drag one here` }), file);

  async function take(given) {
    if (given.size > MAX_BYTES) {
      complain(`${given.name} has ${(given.size / 1e6).toFixed(1)} MB; the service takes files of at most ${MAX_BYTES / 1e6} MB.`);
      return;
    }
    search({ [info.modality]: given.name }, { field: info.modality, name: given.name, type: given.type, content: base64(new Uint8Array(await given.arrayBuffer())) });
  }

  return {
    element,
    read: (values, saved) => (saved && saved.content && values.has(saved.field) ? { [saved.field]: saved.content } : null),
    show(values, saved) {
      if (values.has(info.modality) && !(saved && saved.content) && !values.get("id")) complain(`The ${noun} ${values.get(info.modality)} was chosen in another tab: choose it again.`);
    },
    preview(saved) {
      const bytes = Uint8Array.from(atob(saved.content), (letter) => letter.charCodeAt(0));
      URL.revokeObjectURL(previewed);
      previewed = URL.createObjectURL(new Blob([bytes], { type: saved.type }));
      if (noun === "sound") return make("audio", { controls: true, "aria-label": `Sound of ${saved.name}`, src: previewed });
      return make("img", { class: "thumb", alt: saved.name, src: previewed });
    },
  };
}

function base64(bytes) {
  let letters = "";
  for (let at = 0; at < bytes.length; at += 0x8000) letters += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(letters);
}
