/** Map: two spaces as linked maps; what is pointed at, chosen or enclosed in one is so in the other. */

import { address, go, note } from "../address.js";
import { follow, pathOf } from "../api.js";
import { choice, counted, make } from "../explorer/elements.js";
import { isInside } from "../explorer/nearest.js";
import { COLOURS, media, spaceName, standing } from "../parts.js";
import { mapPlot, tool } from "./plot.js";
import { joined, labelled } from "./points.js";
import { selectionList, titleOf } from "./selection.js";

const SHAPES = ["circle", "square", "triangle", "diamond"];
const PALETTE = COLOURS.slice(0, 7);
const IN_LEGEND = 28;

/** Build the view in an element; `update(values)` follows the address. */
export function mapView(element, info) {
  let [data, classes, shown, stop, selected, lasso] = [null, null, "", new AbortController(), null, null];
  const specs = info.spaces.map((space) => [space.spec, space.spec]);
  const state = standing();
  const first = choice("first space", specs, (value) => go({ a: value, va: null, lasso: null }));
  const second = choice("second space", specs, (value) => go({ b: value, vb: null, lasso: null }));
  const swap = make("button", { type: "button", class: "swap", "aria-label": "Exchange the two spaces", text: "⇄", onclick: () => go({ a: second.select.value, b: first.select.value, va: null, vb: null, lasso: null }) });
  const legend = make("div", { class: "legend", role: "group", "aria-label": "Labels" });
  const about = make("p", { class: "note" });
  const heard = make("p", { class: "told", "aria-live": "polite" });
  const preview = make("div", { class: "preview", hidden: true });
  const sides = ["first", "second"].map(side);
  const tools = ["lasso", "move"].map((name) => tool(name === "lasso" ? "◌ enclose" : "✥ move", name === "lasso" ? "Enclose items with a line" : "Move the map", () => use(name), name === "lasso"));
  const list = selectionList(info, () => go({ lasso: null, label: null, pick: null }));
  const maps = make("div", { class: "map-body", hidden: true },
    make("div", { class: "tools", role: "group", "aria-label": "What dragging does" }, ...tools, make("span", { class: "note", text: "wheel or two fingers zoom; Shift and drag moves" })),
    legend, about, make("div", { class: "linked-maps" }, ...sides.map((one) => one.figure)), heard, list.element);
  element.classList.add("explorer");
  element.append(make("div", { class: "controls" }, first.element, swap, second.element), state.element, maps, preview);

  function side(name, at) {
    const caption = make("figcaption");
    const key = at ? "vb" : "va";
    const plot = mapPlot(name, {
      hover: point, choose: pick,
      enclose: (corners) => go({ lasso: corners && [at, ...corners.flat().map((value) => Math.round(1000 * value))].join("."), ...(corners ? {} : { pick: null, label: null }) }),
      moved: (view) => note({ [key]: view.zoom === 1 && !view.x && !view.y ? null : [view.x, view.y, view.zoom].map((value) => Number(value.toFixed(4))).join("_") }),
    });
    const buttons = make("span", { class: "zoom", role: "group", "aria-label": `Zoom of the ${name} map` },
      tool("+", "Zoom in", () => plot.zoom(1.5)), tool("−", "Zoom out", () => plot.zoom(1 / 1.5)), tool("all", "Show all", () => plot.reset()));
    return { plot, caption, figure: make("figure", {}, make("div", { class: "map-head" }, caption, buttons), plot.canvas) };
  }

  function use(name) {
    tools.forEach((button, at) => button.setAttribute("aria-pressed", String((at === 0) === (name === "lasso"))));
    for (const one of sides) one.plot.use(name);
  }

  async function update(values) {
    const known = info.spaces.map((space) => space.spec);
    const a = known.includes(values.get("a")) ? values.get("a") : known[0];
    const b = known.includes(values.get("b")) ? values.get("b") : known[Math.min(1, known.length - 1)];
    [first.select.value, second.select.value] = [a, b];
    if (shown !== `${a} ${b}`) {
      shown = `${a} ${b}`;
      stop.abort();
      stop = new AbortController();
      maps.hidden = true;
      try {
        await load(a, b, stop.signal);
      } catch (error) {
        if (error.name === "AbortError") return;
        shown = "";
        state.fail(error, () => update(address()));
        if (error.status === undefined) throw error;
        return;
      }
    }
    apply(address());
  }

  async function load(a, b, signal) {
    const replies = [];
    for (const spec of new Set([a, b])) {
      state.say(`Computing the map of ${spec}`);
      replies.push(await follow(pathOf(info.name, `map?space=${encodeURIComponent(spec)}`), null, signal, (text) => state.say(`Map of ${spec}: ${text}`)));
    }
    data = joined(replies[0], replies[replies.length - 1]);
    classes = labelled(data.labels);
    state.say("");
    maps.hidden = false;
    const fewer = replies[0].ids.length < replies[0].total ? `${counted(replies[0].ids.length, "item")} of ${replies[0].total.toLocaleString("en")}, drawn at random` : counted(data.ids.length, "item");
    [a, b].forEach((spec, at) => {
      sides[at].caption.replaceChildren(...spaceName(info, spec));
      sides[at].plot.name(spec);
    });
    about.textContent = `${fewer} by the two principal components of each space, the second turned to the first.`;
    legend.replaceChildren(...classes.names.slice(0, IN_LEGEND).map((name, at) => {
      const dot = make("i", { class: lookOf(at).shape });
      dot.style.background = lookOf(at).colour;
      return make("button", { type: "button", "data-label": name, "aria-pressed": "false", onclick: () => go({ label: address().get("label") === name ? null : name }) },
        dot, make("span", { dir: "auto", text: name }), make("small", { text: classes.counts.get(name).toLocaleString("en") }));
    }), ...(classes.names.length > IN_LEGEND ? [make("small", { text: `and ${counted(classes.names.length - IN_LEGEND, "label")} in grey` })] : []));
  }

  const lookOf = (at) => ({ colour: PALETTE[at % PALETTE.length], shape: SHAPES[Math.floor(at / PALETTE.length) % SHAPES.length] });

  // What the address says of the maps: the line, the label, single items, and where each map looks.
  function apply(values) {
    const label = classes.names.indexOf(values.get("label"));
    lasso = lassoIn(values.get("lasso"));
    const picked = values.getAll("pick").map((id) => data.number.get(id)).filter((at) => at !== undefined);
    selected = label < 0 && !lasso && !picked.length ? null : new Uint8Array(data.ids.length);
    if (selected) {
      const map = lasso && data.maps[lasso.side];
      for (let at = 0; at < selected.length; at += 1) {
        selected[at] = Number((label >= 0 || lasso !== null) && (label < 0 || classes.of[at] === label) && (!lasso || isInside(lasso.corners, map.x[at], map.y[at])));
      }
      for (const at of picked) selected[at] = 1;
    }
    const marks = classes.names.map((_, at) => (at < IN_LEGEND ? lookOf(at) : { colour: null, shape: "circle" }));
    sides.forEach(({ plot }, at) => {
      plot.set(data.maps[at], { labels: classes.of, marks, on: label >= 0 || lasso ? selected : null });
      plot.show(viewIn(values.get(at ? "vb" : "va")));
      plot.mark(-1, picked, lasso && lasso.side === at ? lasso.corners : null);
    });
    for (const button of legend.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.dataset.label === values.get("label")));
    const rows = [];
    if (selected) selected.forEach((is, at) => is && rows.push({ id: data.ids[at], label: data.labels[at], cells: [data.ids[at], data.labels[at], ...data.maps.flatMap((map) => [map.x[at], map.y[at]])] }));
    list.show(rows);
    heard.textContent = "";
    preview.hidden = true;
  }

  function point(item) {
    const picked = address().getAll("pick").map((id) => data.number.get(id)).filter((at) => at !== undefined);
    sides.forEach(({ plot }, at) => plot.mark(item, picked, lasso && lasso.side === at ? lasso.corners : null));
    if (item < 0) {
      heard.textContent = "";
      preview.hidden = true;
      return;
    }
    const id = data.ids[item];
    if (preview.dataset.id === id && !preview.hidden) return;
    preview.dataset.id = id;
    const says = (title) => `${title}${data.labels[item] ? ` · ${data.labels[item]}` : ""}`;
    const title = make("span", { dir: "auto", text: says(id) });
    preview.replaceChildren(...[info.modality === "image" ? media(info, id, id) : null, title].filter(Boolean));
    preview.hidden = false;
    heard.textContent = says(id);
    clearTimeout(point.soon);
    point.soon = setTimeout(() => titleOf(info, id).then((found) => {
      if (preview.dataset.id !== id || preview.hidden) return;
      title.textContent = says(found);
      heard.textContent = says(found);
    }, () => {}), 120);
  }

  // A click chooses an item or lets it go; beside all items it ends the selection.
  function pick(item) {
    const values = address();
    if (item < 0) {
      if (values.has("lasso") || values.has("pick")) go({ lasso: null, pick: null });
      return;
    }
    const ids = values.getAll("pick");
    go({ pick: ids.includes(data.ids[item]) ? ids.filter((id) => id !== data.ids[item]) : [...ids, data.ids[item]] });
  }

  element.addEventListener("pointermove", (event) => {
    const width = document.documentElement.clientWidth;
    preview.style.left = `${Math.max(8, Math.min(event.clientX + 16, width - 260))}px`;
    preview.style.top = `${event.clientY + 16}px`;
  });
  return { update, close: () => stop.abort() };
}

function lassoIn(text) {
  const numbers = (text || "").split(".").map(Number);
  const corners = [];
  for (let at = 1; at + 1 < numbers.length; at += 2) corners.push([numbers[at] / 1000, numbers[at + 1] / 1000]);
  return corners.length > 2 && numbers.every(Number.isFinite) && [0, 1].includes(numbers[0]) ? { side: numbers[0], corners } : null;
}

function viewIn(text) {
  const [x, y, zoom] = (text || "").split("_").map(Number);
  return [x, y, zoom].every(Number.isFinite) && zoom > 0 ? { x, y, zoom } : null;
}
