/** A measure of every query in one space against another: a dot for each pair of values, with the diagonal. */

import { counted, inks, make, placeIn, sharpCanvas, threeDigits } from "./elements.js";
import { dotAt, nextDot } from "./nearest.js";

const MARGIN = { left: 64, right: 18, top: 18, bottom: 54 };
// Numbers of the axes stand clear of the largest dot, which may be at their corner.
const CLEAR = 17;
const SMALLEST = 2.8;
const LARGEST = 14;
const NAME = 30;

/** Put the plot into an element. `choose(queries)` is called with the queries of the dot that is opened. */
export function scatterPlot(element, model, choose, leave) {
  let [pair, dots, present, chosen, shown] = [null, [], -1, -1, null];
  const told = make("p", { class: "told", "aria-live": "polite" });
  const canvas = sharpCanvas({
    class: "scatter", tabindex: 0, role: "application", "aria-roledescription": "scatter plot",
    "aria-label": "Queries by their values in both spaces. Arrow keys move from dot to dot, Enter opens the lists, Escape closes them.",
    onpointermove: (event) => point(dotAt(dots, ...placeIn(canvas, event))),
    onpointerleave: () => point(-1),
    onclick: (event) => open(dotAt(dots, ...placeIn(canvas, event), 10)),
    onkeydown: pressed,
    onblur: () => point(-1),
  }, draw);
  element.append(canvas, told);

  function place() {
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const across = (share) => MARGIN.left + share * (width - MARGIN.left - MARGIN.right);
    const upward = (share) => height - MARGIN.bottom - share * (height - MARGIN.top - MARGIN.bottom);
    for (const dot of dots) [dot.x, dot.y] = [across(dot.ours / 65535), upward(dot.theirs / 65535)];
    return { across, upward, width, height };
  }

  function grouped() {
    const groups = new Map();
    for (let query = 0; query < model.count; query += 1) {
      if (shown && !shown.has(query)) continue;
      const [ours, theirs] = [pair.ours[query], pair.theirs[query]];
      const key = ours * 65536 + theirs;
      if (!groups.has(key)) groups.set(key, { ours, theirs, queries: [], x: 0, y: 0 });
      groups.get(key).queries.push(query);
    }
    const found = [...groups.values()];
    for (const dot of found) dot.radius = Math.min(LARGEST, SMALLEST * Math.sqrt(dot.queries.length));
    return found.sort((a, b) => b.queries.length - a.queries.length);
  }

  function draw() {
    if (!pair || !canvas.clientWidth) return;
    const { across, upward } = place();
    const pen = canvas.getContext("2d");
    const ink = inks(canvas);
    pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    pen.font = `12px ${ink.font}`;
    pen.lineWidth = 1;
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      pen.strokeStyle = ink.rule;
      line(pen, across(share), upward(0), across(share), upward(1));
      line(pen, across(0), upward(share), across(1), upward(share));
      const text = (model.low + share * (model.high - model.low)).toFixed(2).replace(/0$/, "");
      pen.fillStyle = ink.soft;
      pen.textAlign = "center";
      pen.fillText(text, across(share), upward(0) + CLEAR + 10);
      pen.textAlign = "right";
      pen.fillText(text, across(0) - CLEAR, upward(share) + 4);
    }
    pen.textAlign = "center";
    pen.fillText(axis(pair.first, "first"), across(0.5), upward(0) + CLEAR + 30);
    pen.save();
    pen.translate(14, upward(0.5));
    pen.rotate(-Math.PI / 2);
    pen.fillText(axis(pair.second, "second"), 0, 0);
    pen.restore();
    pen.strokeStyle = ink.soft;
    pen.setLineDash([4, 4]);
    line(pen, across(0), upward(0), across(1), upward(1));
    pen.setLineDash([]);
    for (const dot of dots) {
      const side = dot.ours > dot.theirs ? model.spaces[pair.first].colour : model.spaces[pair.second].colour;
      const colour = dot.ours === dot.theirs ? ink.soft : ink.of(side);
      pen.fillStyle = colour;
      pen.globalAlpha = 0.6;
      disc(pen, dot.x, dot.y, dot.radius);
      pen.globalAlpha = 1;
      pen.strokeStyle = ink.edge(colour);
      ring(pen, dot.x, dot.y, dot.radius);
    }
    for (const at of [chosen, present]) {
      if (at < 0 || at >= dots.length) continue;
      pen.strokeStyle = ink.ink;
      pen.lineWidth = at === chosen ? 2.5 : 1.5;
      ring(pen, dots[at].x, dots[at].y, dots[at].radius + 3);
    }
  }

  function axis(space, place) {
    const { label } = model.spaces[space];
    return `${model.measures[pair.measure]} in ${label.length > NAME ? `the ${place} space` : label}`;
  }

  function point(at) {
    if (at === present) return;
    present = at;
    canvas.style.cursor = at < 0 ? "default" : "pointer";
    told.textContent = at < 0 ? "" : describe(dots[at]);
    draw();
  }

  function describe(dot) {
    const value = (share) => threeDigits(model.low + (share / 65535) * (model.high - model.low));
    const name = dot.queries.length === 1 ? model.queryName(dot.queries[0]) : counted(dot.queries.length, "query", "queries");
    return `${value(dot.ours)} in the first, ${value(dot.theirs)} in the second: ${name}`;
  }

  function open(at, bykey = false) {
    if (at < 0) return;
    present = at;
    choose(dots[at].queries, bykey);
  }

  function pressed(event) {
    if (event.key === "Enter" || event.key === " ") open(present, true);
    else if (event.key === "Escape") leave();
    else if (event.key.startsWith("Arrow")) point(nextDot(dots, present < 0 ? chosen : present, event.key));
    else return;
    event.preventDefault();
  }

  return {
    canvas,
    dots: () => dots,
    update(next, query, subset) {
      if (next !== pair || subset !== shown) {
        [pair, shown] = [next, subset];
        dots = grouped();
        present = -1;
      }
      chosen = query < 0 ? -1 : dots.findIndex((dot) => dot.queries.includes(query));
      draw();
    },
  };
}

/** A straight line. */
export function line(pen, x1, y1, x2, y2) {
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
}

/** A filled circle. */
export function disc(pen, x, y, radius) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fill();
}

/** A mark of a class, filled: circle, square, triangle or diamond; with a colour of its edge, that too. */
export function mark(pen, x, y, radius, shape, edge = null) {
  const corners = SHAPES[shape];
  pen.beginPath();
  if (corners) {
    corners.forEach(([right, down], at) => (at ? pen.lineTo(x + radius * right, y + radius * down) : pen.moveTo(x + radius * right, y + radius * down)));
    pen.closePath();
  } else pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fill();
  if (edge === null) return;
  pen.globalAlpha = 1;
  pen.strokeStyle = edge;
  pen.stroke();
}

const SHAPES = {
  square: [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]], triangle: [[0, -1.25], [1.15, 0.9], [-1.15, 0.9]],
  diamond: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
};

/** A circle. */
export function ring(pen, x, y, radius) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.stroke();
}

/** A closed line around places, faintly filled: what a person draws to enclose items. */
export function outline(pen, colour, places) {
  pen.beginPath();
  places.forEach(([x, y], at) => (at ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.closePath();
  pen.globalAlpha = 0.1;
  pen.fillStyle = colour;
  pen.fill();
  pen.globalAlpha = 1;
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.stroke();
}
