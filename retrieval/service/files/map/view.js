/** Map: two spaces as linked maps; what is pointed at, chosen or enclosed in one is so in the other. */

import { address, go, note } from "../address.js";
import { follow, pathOf } from "../api.js";
import { choice, counted, make } from "../explorer/elements.js";
import { isInside } from "../explorer/nearest.js";
import { spaceName, standing } from "../parts.js";
import { colourChoice, colourParameters, wayIn } from "./colour_choice.js";
import { byCluster, byLabel, byNumber, matched } from "./colouring.js";
import { legendOf } from "./legend.js";
import { groupIn, lassoIn, lassoText, viewIn, viewText } from "./places.js";
import { mapPlot, tool } from "./plot.js";
import { joined, labelled } from "./points.js";
import { previewBox } from "./preview.js";
import { selectionList } from "./selection.js";

const SIDES = ["first", "second"];
const NOWHERE = { lasso: null, label: null, group: null, pick: null };

/** Build the view in an element; `update(values)` follows the address. */
export function mapView(element, info) {
  let [data, colourings, legends, shown, stop, lasso, count] = [null, [], [], { spaces: "", colours: "" }, new AbortController(), null, 2];
  const specs = info.spaces.map((space) => [space.spec, space.spec]);
  const state = standing();
  const first = choice(specs.length > 1 ? "first space" : "space", specs, (value) => go({ a: value, va: null, lasso: null, group: null }));
  const second = choice("second space", specs, (value) => go({ b: value, vb: null, lasso: null, group: null }));
  const swap = make("button", { type: "button", class: "swap", "aria-label": "Exchange the two spaces", text: "⇄", onclick: () => go({ a: second.select.value, b: first.select.value, va: null, vb: null, lasso: null, group: null }) });
  const colours = colourChoice(info);
  const shared = make("div", { class: "shared-legend" });
  const about = make("p", { class: "note" });
  const heard = make("p", { class: "told", "aria-live": "polite" });
  const preview = previewBox(info);
  const sides = SIDES.map(side);
  const linked = make("div", { class: "linked-maps" }, ...sides.map((one) => one.figure));
  const tools = ["lasso", "move"].map((name) => tool(name === "lasso" ? "◌ enclose" : "✥ move", name === "lasso" ? "Enclose items with a line" : "Move the map", () => use(name), name === "lasso"));
  const list = selectionList(info, () => go(NOWHERE));
  const maps = make("div", { class: "map-body", hidden: true },
    make("div", { class: "tools", role: "group", "aria-label": "What dragging does" }, ...tools, make("span", { class: "note", text: "wheel or two fingers zoom; Shift and drag moves" })),
    shared, about, linked, heard, list.element);
  for (const one of [swap, second.element]) one.hidden = specs.length < 2;
  element.classList.add("explorer");
  element.append(make("div", { class: "controls" }, first.element, swap, second.element), colours.element, state.element, maps, preview.element);

  function side(name, at) {
    const [caption, legend] = [make("figcaption"), make("div", { class: "own-legend" })];
    const key = at ? "vb" : "va";
    const plot = mapPlot(name, {
      hover: point, choose: pick,
      enclose: (corners) => go(corners ? { lasso: lassoText(at, corners) } : NOWHERE),
      moved: (view) => note({ [key]: viewText(view) }),
    });
    const buttons = make("span", { class: "zoom", role: "group", "aria-label": `Zoom of the ${name} map` },
      tool("+", `Zoom in, ${name} map`, () => plot.zoom(1.5)), tool("−", `Zoom out, ${name} map`, () => plot.zoom(1 / 1.5)), tool("all", `Show all of the ${name} map`, () => plot.reset()));
    return { plot, caption, legend, figure: make("figure", {}, make("div", { class: "map-head" }, caption, buttons), legend, plot.canvas) };
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
    colours.show(values);
    const wanted = { spaces: `${a}\n${b}`, colours: colourParameters(values, info) || "" };
    if (shown.spaces !== wanted.spaces || shown.colours !== wanted.colours) {
      const isNew = shown.spaces !== wanted.spaces;
      shown = wanted;
      stop.abort();
      stop = new AbortController();
      maps.hidden = isNew || !data;
      try {
        await load([a, b], wanted.colours, isNew, stop.signal);
      } catch (error) {
        if (error.name === "AbortError") return;
        shown = { spaces: "", colours: "" };
        state.fail(error, error.status === 422 ? null : () => update(address()));
        if (error.status === undefined) throw error;
        return;
      }
    }
    state.say(wayIn(values, info) === "score" && !wanted.colours ? "Give a query, whose scores then colour the maps." : "", false);
    if (data) apply(address());
  }

  // One request for each space brings its map and its colours.
  async function load(spaces, parameters, isNew, signal) {
    const replies = [];
    for (const spec of isNew || parameters ? new Set(spaces) : []) {
      state.say(`Computing the map of ${spec}`);
      replies.push(await follow(pathOf(info.name, `map?space=${encodeURIComponent(spec)}${parameters && `&${parameters}`}`), null, signal, (text) => state.say(`Map of ${spec}: ${text}`)));
    }
    if (isNew) {
      data = joined(replies[0], replies[replies.length - 1]);
      data.classes = labelled(data.labels);
      const fewer = replies[0].ids.length < replies[0].total ? `${counted(replies[0].ids.length, "item")} of ${replies[0].total.toLocaleString("en")}, drawn at random` : counted(data.ids.length, "item");
      spaces.forEach((spec, at) => {
        sides[at].caption.replaceChildren(...spaceName(info, spec));
        sides[at].plot.name(spec);
      });
      count = replies.length; // of one space with itself, one map says all
      sides[1].figure.hidden = count < 2;
      linked.classList.toggle("alone", count < 2);
      about.textContent = `${fewer} by the two principal components of ${count < 2 ? "the space" : "each space, the second turned to the first"}.`;
    }
    maps.hidden = false;
    colour(replies);
  }

  function colour(replies) {
    const both = replies.length ? [replies[0], replies[replies.length - 1]] : [];
    const values = both.filter((reply) => reply.colour).map((reply) => {
      const found = new Float64Array(data.ids.length).fill(NaN);
      reply.ids.forEach((id, at) => { if (reply.colour.values[at] !== null) found[data.number.get(id)] = reply.colour.values[at]; });
      return found;
    });
    const one = values.length ? null : byLabel(data.classes, data.labels);
    const isCluster = values.length && both[0].colour.by === "cluster";
    if (isCluster) values[1] = matched(values[1], values[0]);
    colourings = SIDES.map((_, at) => one || (isCluster ? byCluster : byNumber)(values[at], both[at].colour));
    legends = one ? [legendOf(one, "Labels", (group) => go({ label: address().get("label") === group.name ? null : group.name, group: null }))]
      : colourings.map((colouring, at) => legendOf(colouring, count < 2 ? "Colours of the map" : `Colours of the ${SIDES[at]} map`, (group) => go({ group: address().get("group") === `${at}.${group.at}` ? null : `${at}.${group.at}`, label: null })));
    shared.replaceChildren(...(one ? [legends[0].element] : []));
    sides.forEach(({ legend }, at) => legend.replaceChildren(...(one ? [] : [legends[at].element])));
  }

  // What the address says of the maps: the line, the class, single items, and where each map looks.
  function apply(values) {
    const label = data.classes.names.indexOf(values.get("label"));
    const group = colourings[0].by ? groupIn(values.get("group")) : null;
    lasso = lassoIn(values.get("lasso"));
    for (const one of [group, lasso]) if (one) one.side = Math.min(one.side, count - 1);
    const picked = pickedIn(values);
    const selected = selectedItems(label, group, picked);
    sides.forEach(({ plot }, at) => {
      plot.set(data.maps[at], { ...colourings[at], on: label >= 0 || group || lasso ? selected : null });
      plot.show(viewIn(values.get(at ? "vb" : "va")));
      plot.mark(-1, picked, lasso && lasso.side === at ? lasso.corners : null);
    });
    legends.forEach((legend, at) => legend.press(legends.length === 1 ? label : group && group.side === at ? group.at : -1));
    const rows = [];
    if (selected) selected.forEach((is, at) => is && rows.push({ id: data.ids[at], label: data.labels[at], cells: [...data.maps.slice(0, count).flatMap((map) => [map.x[at], map.y[at]]), ...colourCells(at)] }));
    const ends = count < 2 ? [""] : SIDES.map((name) => `_${name}`);
    list.show(rows, [...ends.flatMap((end) => [`x${end}`, `y${end}`]), ...(colourings[0].by ? ends.map((end) => `${colourings[0].by}${end}`) : [])]);
    heard.textContent = "";
    preview.hide();
  }

  const pickedIn = (values) => values.getAll("pick").map((id) => data.number.get(id)).filter((at) => at !== undefined);
  const colourCells = (at) => (colourings[0].by ? colourings.slice(0, count).map((one) => (one.number ? one.number(at) : one.value(at))) : []);

  function selectedItems(label, group, picked) {
    if (label < 0 && !group && !lasso && !picked.length) return null;
    const selected = new Uint8Array(data.ids.length);
    const map = lasso && data.maps[lasso.side];
    for (let at = 0; (label >= 0 || group || lasso) && at < selected.length; at += 1) {
      selected[at] = Number((label < 0 || data.classes.of[at] === label) && (!group || colourings[group.side].groupOf[at] === group.at) && (!lasso || isInside(lasso.corners, map.x[at], map.y[at])));
    }
    for (const at of picked) selected[at] = 1;
    return selected;
  }

  function point(item) {
    const picked = pickedIn(address());
    sides.forEach(({ plot }, at) => plot.mark(item, picked, lasso && lasso.side === at ? lasso.corners : null));
    if (item < 0) {
      heard.textContent = "";
      preview.hide();
      return;
    }
    preview.show(data.ids[item], [data.labels[item] && `label ${data.labels[item]}`, valuesOf(item)].filter(Boolean), (text) => { heard.textContent = text; });
  }

  function valuesOf(item) {
    if (!colourings[0].by) return "";
    const found = colourings.slice(0, count).map((one) => one.value(item) ?? "–");
    return `${colourings[0].by === "cluster" ? "" : `${colourings[0].by} `}${found.join(" and ")}`;
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

  element.addEventListener("pointermove", (event) => preview.follow(event));
  return { update, close: () => stop.abort() };
}
