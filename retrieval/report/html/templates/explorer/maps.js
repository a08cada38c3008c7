/** Two maps of the same items, linked: what is pointed at, chosen or enclosed in one is so in the other. */

import { counted, inks, make, placeIn, sharpCanvas } from "./elements.js";
import { dotAt, isInside, nextDot } from "./nearest.js";
import { disc, line, mark, outline, ring } from "./scatter.js";

const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D46"];
const FORMS = ["circle", "square", "triangle", "diamond"];
const EDGE = 12;
const CORNERS = 32;

/** Put the maps into an element. `choose(item)`, `enclose(lasso)` and `pick(label)` report what was done. */
export function linkedMaps(element, model, choose, enclose, pick) {
  let [pair, state, present, drawn] = [null, { query: -1, item: -1, label: -1, lasso: null }, -1, null];
  const told = make("p", { class: "told", "aria-live": "polite" });
  const sides = ["first", "second"].map(side);
  const counts = new Uint32Array(model.labels.length);
  for (const item of model.map.items) if (model.labelOf(item) >= 0) counts[model.labelOf(item)] += 1;
  const ranked = [...counts.keys()].sort((a, b) => counts[b] - counts[a] || a - b);
  const looks = new Map(ranked.slice(0, COLOURS.length * FORMS.length).map((label, at) => [label, { colour: COLOURS[at % COLOURS.length], shape: FORMS[Math.floor(at / COLOURS.length)] }]));
  const legend = make("div", { class: "legend", role: "group", "aria-label": "Labels" });
  const buttons = new Map([...looks].map(([label, { colour, shape }]) => {
    const dot = make("i", { class: shape });
    dot.style.background = colour;
    return [label, make("button", { type: "button", "aria-pressed": "false", onclick: () => pick(state.label === label ? -1 : label) }, dot, make("span", { text: model.labels[label] }))];
  }));
  legend.append(...buttons.values());
  element.append(legend, make("div", { class: "linked-maps" }, ...sides.map((one) => one.figure)), told);

  function side(name) {
    const caption = make("figcaption");
    const canvas = sharpCanvas({
      class: "map", tabindex: 0, role: "application", "aria-roledescription": "map",
      "aria-label": `Items in the ${name} space. Arrow keys move from item to item, Enter chooses one, Escape lets go.`,
      onpointerdown: (event) => begin(one, event), onpointermove: (event) => move(one, event), onpointerup: (event) => end(one, event),
      onpointercancel: () => { drawn = null; draw(); }, onpointerleave: () => point(-1), onblur: () => point(-1),
      onkeydown: (event) => pressed(one, event),
    }, draw);
    const one = { name, canvas, caption, dots: [], points: null, figure: make("figure", {}, caption, canvas) };
    return one;
  }

  function place(one) {
    const edge = one.canvas.clientWidth;
    const scale = (share) => EDGE + share * (edge - 2 * EDGE);
    one.dots = one.points ? Array.from(model.map.items, (item, at) => ({
      item, x: scale(one.points[2 * at] / 65535), y: edge - scale(one.points[2 * at + 1] / 65535), radius: 3,
    })) : [];
  }

  function enclosed() {
    if (!state.lasso) return null;
    const one = sides[state.lasso.side];
    const inside = new Set();
    model.map.items.forEach((item, at) => {
      if (one.points && isInside(state.lasso.corners, one.points[2 * at] / 65.535, one.points[2 * at + 1] / 65.535)) inside.add(item);
    });
    return inside;
  }

  function draw() {
    if (!pair) return;
    for (const [at, one] of sides.entries()) drawSide(one, at === 0 ? pair.first : pair.second);
  }

  function drawSide(one, space) {
    const { canvas } = one;
    if (!canvas.clientWidth) return;
    const pen = canvas.getContext("2d");
    const ink = inks(canvas);
    place(one);
    pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    if (!one.points) {
      pen.fillStyle = ink.soft;
      pen.font = `14px ${ink.font}`;
      pen.textAlign = "center";
      pen.fillText("no map: the index does not hold the codes", canvas.clientWidth / 2, canvas.clientHeight / 2);
      return;
    }
    pen.lineWidth = 1;
    for (const dot of one.dots) {
      const label = model.labelOf(dot.item);
      const off = (state.label >= 0 && label !== state.label) || (state.inside && !state.inside.has(dot.item));
      pen.globalAlpha = off ? 0.12 : 0.75;
      const look = looks.get(label);
      const colour = look ? look.colour : ink.soft;
      pen.fillStyle = colour;
      mark(pen, dot.x, dot.y, 2.8, look && look.shape, off ? null : ink.edge(colour));
    }
    pen.globalAlpha = 1;
    neighbours(one, space, pen, ink);
    for (const [item, width] of [[state.item, 2.5], [present, 1.5]]) {
      const dot = item < 0 ? null : one.dots.find((other) => other.item === item);
      if (!dot) continue;
      pen.strokeStyle = ink.ink;
      pen.lineWidth = width;
      ring(pen, dot.x, dot.y, 7);
    }
    if (drawn && drawn.one === one) outline(pen, ink.ink, drawn.places);
    else if (state.lasso && sides[state.lasso.side] === one) outline(pen, ink.ink, state.lasso.corners.map((corner) => onCanvas(one, corner)));
  }

  // Lines from the chosen query to its answers in this space.
  function neighbours(one, space, pen, ink) {
    if (state.query < 0) return;
    const places = new Map(one.dots.map((dot) => [dot.item, dot]));
    const middle = places.get(model.itemOf(state.query));
    pen.strokeStyle = ink.ink;
    pen.fillStyle = ink.ink;
    for (const item of model.list(space, state.query)) {
      const dot = places.get(item);
      if (!dot) continue;
      pen.lineWidth = 1;
      pen.globalAlpha = 0.55;
      if (middle) line(pen, middle.x, middle.y, dot.x, dot.y);
      pen.globalAlpha = 1;
      ring(pen, dot.x, dot.y, 4.5);
    }
    if (middle) disc(pen, middle.x, middle.y, 5);
  }

  const onCanvas = (one, [x, y]) => {
    const edge = one.canvas.clientWidth;
    return [EDGE + (x / 1000) * (edge - 2 * EDGE), edge - (EDGE + (y / 1000) * (edge - 2 * EDGE))];
  };
  const onMap = (one, [x, y]) => {
    const edge = one.canvas.clientWidth;
    const share = (value) => Math.round((1000 * (value - EDGE)) / (edge - 2 * EDGE));
    return [share(x), 1000 - share(y)];
  };

  function begin(one, event) {
    if (event.button) return;
    drawn = { one, places: [placeIn(one.canvas, event)] };
    one.canvas.setPointerCapture(event.pointerId);
  }

  function move(one, event) {
    const at = placeIn(one.canvas, event);
    if (!drawn) {
      point(itemAt(one, at));
      return;
    }
    const last = drawn.places[drawn.places.length - 1];
    if (Math.hypot(at[0] - last[0], at[1] - last[1]) < 4) return;
    drawn.places.push(at);
    drawSide(one, one === sides[0] ? pair.first : pair.second);
  }

  function end(one, event) {
    const places = drawn ? drawn.places : [];
    drawn = null;
    if (places.length < 4) {
      const item = itemAt(one, placeIn(one.canvas, event));
      if (item >= 0) choose(item);
      else enclose(null);
      return;
    }
    const step = Math.ceil(places.length / CORNERS);
    enclose({ side: sides.indexOf(one), corners: places.filter((_, at) => at % step === 0).map((at) => onMap(one, at)) });
  }

  function itemAt(one, at) {
    const found = dotAt(one.dots, ...at, 8);
    return found < 0 ? -1 : one.dots[found].item;
  }

  function point(item) {
    if (item === present) return;
    present = item;
    const label = item < 0 ? "" : model.labelName(item);
    told.textContent = item < 0 ? summary() : `${model.name(item)}${label ? ` · ${label}` : ""}`;
    draw();
  }

  function summary() {
    if (!state.inside) return "";
    const tally = new Map();
    for (const item of state.inside) {
      const label = model.labelName(item);
      if (label) tally.set(label, (tally.get(label) || 0) + 1);
    }
    const most = [...tally].sort((a, b) => b[1] - a[1]).slice(0, 4).map(([label, count]) => `${label}: ${count}`);
    return `${counted(state.inside.size, "item")} inside the line${most.length ? ` (${most.join(", ")})` : ""}.`;
  }

  function pressed(one, event) {
    const at = one.dots.findIndex((dot) => dot.item === (present < 0 ? state.item : present));
    if (event.key === "Escape") enclose(null);
    else if (event.key === "Enter" || event.key === " ") {
      if (present >= 0) choose(present);
    } else if (event.key.startsWith("Arrow") && one.dots.length) point(one.dots[nextDot(one.dots, at, event.key)].item);
    else return;
    event.preventDefault();
  }

  return {
    sides,
    update(next, wanted) {
      pair = next;
      sides[0].points = model.map.points[pair.first];
      sides[1].points = model.map.points[pair.second];
      sides.forEach((one, at) => { one.caption.replaceChildren(make("i", { class: `swatch ${one.name}` }), make("code", { text: model.spaces[at ? pair.second : pair.first].label })); });
      state = { ...wanted, inside: null };
      state.inside = enclosed();
      for (const [label, button] of buttons) button.setAttribute("aria-pressed", String(label === state.label));
      told.textContent = summary();
      draw();
      return state.inside;
    },
  };
}
