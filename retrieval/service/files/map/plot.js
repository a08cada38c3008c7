/** One map on a canvas: zoom, pan, lasso, the item under the pointer. It holds no state of the page: it reports what was done. */

import { channels } from "../explorer/colours.js";
import { inks, make, placeIn, sharpCanvas } from "../explorer/elements.js";
import { outline, ring } from "../explorer/scatter.js";
import { dotBeside, drawDots, nearestDot, stamp } from "./dots.js";
import { mixed, rampOf } from "./ramp.js";

const CORNERS = 40;
const REACH = 9;
const LARGEST_ZOOM = 200;
const WHOLE = { x: 0, y: 0, zoom: 1 };

/** Build a plot. `report` has hover(item), choose(item), enclose(corners or null), moved(view). */
export function mapPlot(name, report) {
  let [map, look, view, tool, present, chosen, lasso] = [null, null, { ...WHOLE }, "lasso", -1, [], null];
  let [image, base, waiting, drawn, pointers, dragged] = [null, false, false, null, new Map(), null];
  const canvas = sharpCanvas({
    class: "map", tabindex: 0, role: "application", "aria-roledescription": "map",
    "aria-label": `Map of ${name}. Arrow keys move from item to item, Enter chooses one, plus and minus zoom, Shift and arrows move the map, 0 shows all, Escape lets go.`,
    onpointerdown: begin, onpointermove: move, onpointerup: end, onpointercancel: cancel, onpointerleave: () => report.hover(-1), onblur: () => report.hover(-1),
    onkeydown: pressed, onwheel: wheel, ondblclick: (event) => zoomAt(placeIn(canvas, event), 2),
  }, () => {
    base = false;
    if (window.matchMedia("print").matches) draw(); // a printer waits for no frame
    else redraw();
  });

  const edge = () => canvas.clientWidth || 1;
  const scale = () => edge() * view.zoom;
  const toMap = ([x, y]) => [view.x + x / scale(), view.y + (edge() - y) / scale()];
  const toCanvas = ([x, y]) => [(x - view.x) * scale(), edge() - (y - view.y) * scale()];

  function redraw(all = true) {
    base = base && !all;
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  }

  /** Draw now: the dots only where they changed, then what is above them. */
  function draw() {
    if (!map || !canvas.clientWidth) return;
    const pen = canvas.getContext("2d");
    const ink = inks(canvas);
    if (!image || image.width !== canvas.width || image.height !== canvas.height) {
      image = new ImageData(canvas.width, canvas.height);
      base = false;
    }
    if (!base) {
      const density = canvas.width / edge();
      drawDots(image, map, { x: view.x, y: view.y, scale: scale() * density }, { ...look, looks: looksAt(density, ink), paper: channels(ink.paper), ink: channels(ink.ink) });
      base = true;
    }
    pen.putImageData(image, 0, 0);
    pen.strokeStyle = ink.ink;
    for (const [item, width] of [...chosen.map((one) => [one, 2.5]), [present, 1.5]]) {
      if (item < 0 || Number.isNaN(map.x[item])) continue;
      pen.lineWidth = width;
      ring(pen, ...toCanvas([map.x[item], map.y[item]]), 7);
    }
    const corners = drawn || (lasso && lasso.map(toCanvas));
    if (corners) outline(pen, ink.ink, corners);
  }

  function looksAt(density, ink) {
    const radius = Math.min(5, Math.max(1, 2.9 * Math.min(1, Math.sqrt(4000 / map.x.length)) * view.zoom ** 0.3)) * density;
    const stamps = new Map();
    const stampOf = (shape) => {
      if (!stamps.has(shape)) stamps.set(shape, stamp(shape, radius));
      return stamps.get(shape);
    };
    const ramp = rampOf(canvas);
    const colourOf = (one) => (one.share === undefined ? channels(one.colour || ink.soft) : mixed(ramp, one.share));
    return [{ colour: null, shape: "circle" }, ...look.marks].map((one) => ({ colour: colourOf(one), stamp: stampOf(one.shape) }));
  }

  const itemAt = (place) => nearestDot(map, ...toMap(place), REACH / scale(), look.on);

  function begin(event) {
    if (event.button || !map) return;
    const place = placeIn(canvas, event);
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place);
    if (pointers.size > 1) [drawn, dragged] = [null, { x: view.x, y: view.y, moved: true }];
    else if (tool === "move" || event.shiftKey) dragged = { moved: false };
    else drawn = [place];
  }

  function move(event) {
    if (!map) return;
    const place = placeIn(canvas, event);
    const before = pointers.get(event.pointerId);
    if (!before) {
      report.hover(itemAt(place));
      return;
    }
    if (pointers.size > 1) pinch(event.pointerId, place);
    else if (dragged) {
      if (Math.hypot(place[0] - before[0], place[1] - before[1]) < 3 && !dragged.moved) return;
      dragged.moved = true;
      setView({ ...view, x: view.x - (place[0] - before[0]) / scale(), y: view.y + (place[1] - before[1]) / scale() });
    } else if (drawn && Math.hypot(place[0] - drawn[drawn.length - 1][0], place[1] - drawn[drawn.length - 1][1]) > 4) {
      drawn.push(place);
      redraw(false);
      return;
    } else return;
    pointers.set(event.pointerId, place);
  }

  // Two fingers: the place between them stays between them.
  function pinch(moved, place) {
    const [other] = [...pointers].find(([id]) => id !== moved) ? [...pointers].filter(([id]) => id !== moved).map(([, where]) => where) : [place];
    const was = pointers.get(moved);
    const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
    zoomAt([(place[0] + other[0]) / 2, (place[1] + other[1]) / 2], apart(place, other) / apart(was, other));
  }

  function end(event) {
    if (!pointers.delete(event.pointerId)) return;
    const [places, drag] = [drawn, dragged];
    drawn = null;
    if (pointers.size) return;
    dragged = null;
    if (drag && drag.moved) report.moved(view);
    else if (places && places.length > 3) {
      const step = Math.ceil(places.length / CORNERS);
      report.enclose(places.filter((_, at) => at % step === 0).map(toMap));
    } else report.choose(itemAt(placeIn(canvas, event)));
    redraw(false);
  }

  function cancel(event) {
    pointers.delete(event.pointerId);
    [drawn, dragged] = [null, null];
    redraw(false);
  }

  function setView(next) {
    const zoom = Math.min(LARGEST_ZOOM, Math.max(0.5, next.zoom));
    const bound = (value) => Math.min(1.2 - 0.2 / zoom, Math.max(-0.2 - 0.8 / zoom, value));
    view = { x: bound(next.x), y: bound(next.y), zoom };
    redraw();
  }

  function zoomAt(place, factor) {
    const [x, y] = toMap(place);
    const zoom = Math.min(LARGEST_ZOOM, Math.max(0.5, view.zoom * factor));
    setView({ zoom, x: x - place[0] / (edge() * zoom), y: y - (edge() - place[1]) / (edge() * zoom) });
  }

  let settling = 0;
  function wheel(event) {
    event.preventDefault();
    zoomAt(placeIn(canvas, event), 2 ** (-event.deltaY / (event.deltaMode ? 12 : 240)));
    clearTimeout(settling);
    settling = setTimeout(() => report.moved(view), 300);
  }

  function zoom(factor) {
    zoomAt([edge() / 2, edge() / 2], factor);
    report.moved(view);
  }

  function pressed(event) {
    if (!map) return;
    const { key } = event;
    if (key.startsWith("Arrow") && event.shiftKey) {
      const step = 0.1 / view.zoom;
      setView({ ...view, x: view.x + step * ((key === "ArrowRight") - (key === "ArrowLeft")), y: view.y + step * ((key === "ArrowUp") - (key === "ArrowDown")) });
      report.moved(view);
    } else if (key.startsWith("Arrow")) {
      const from = present < 0 ? nearestDot(map, view.x + 0.5 / view.zoom, view.y + 0.5 / view.zoom, Infinity, look.on) : dotBeside(map, present, key, look.on);
      report.hover(from);
    } else if (key === "Enter" || key === " ") report.choose(present);
    else if (key === "+" || key === "=") zoom(1.5);
    else if (key === "-") zoom(1 / 1.5);
    else if (key === "0") reset();
    else if (key === "Escape") report.enclose(null);
    else return;
    event.preventDefault();
  }

  function reset() {
    setView(WHOLE);
    report.moved(view);
  }

  return {
    canvas, draw, redraw, zoom, reset, toCanvas,
    view: () => view,
    /** Give the plot its items and their looks: { labels, marks, on, order }. A mark has a colour, or its share of the ramp. */
    set(nextMap, nextLook) {
      [map, look] = [nextMap, nextLook];
      redraw();
    },
    mark(item, items, corners) {
      [present, chosen, lasso] = [item, items, corners];
      redraw(false);
    },
    use(next) {
      tool = next;
      canvas.classList.toggle("moving", tool === "move");
    },
    show(next) {
      setView(next || WHOLE);
    },
    name(text) {
      canvas.setAttribute("aria-label", canvas.getAttribute("aria-label").replace(/^Map of .*?\. Arrow/, `Map of ${text}. Arrow`));
    },
  };
}

/** A button that is not text alone. */
export function tool(text, label, onclick, pressedNow) {
  return make("button", { type: "button", "aria-label": label, title: label, "aria-pressed": pressedNow === undefined ? null : String(pressedNow), text, onclick });
}
