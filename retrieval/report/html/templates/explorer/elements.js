/** Elements made of text, never of markup: a title from a corpus cannot become a tag. */

import { channels, standingOut } from "./colours.js";

/** An element with properties (class, text, on..., aria-...) and children. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "text") element.textContent = value;
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A choice of several values with a name above it. */
export function choice(name, options, onchange) {
  const select = make("select", { onchange: () => onchange(select.value) });
  for (const [value, text] of options) select.append(make("option", { value, text }));
  return { element: make("label", { class: "choice" }, make("span", { text: name }), select), select };
}

/** The picture of an item as a part of the sprite, or nothing. */
export function picture(model, item) {
  const sheet = model.sprite;
  if (!sheet || item < 0) return null;
  const [column, row] = [item % sheet.columns, Math.floor(item / sheet.columns)];
  const tile = make("span", { class: `tile${sheet.small ? " pixel" : ""}`, role: "img", "aria-label": model.name(item) });
  const rows = Math.ceil(model.items / sheet.columns);
  const share = (at, count) => (count > 1 ? (100 * at) / (count - 1) : 0);
  tile.style.backgroundSize = `${sheet.columns * 100}% ${rows * 100}%`;
  tile.style.backgroundPosition = `${share(column, sheet.columns)}% ${share(row, rows)}%`;
  return tile;
}

/** One rule for all tiles, so that the browser decodes the sprite once; a sheet made here needs no leave for inline styles. */
export function spriteRule(model, key) {
  if (!model.sprite) return;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`#${key}-explorer .tile { background-image: url(${model.sprite.src}); }`);
  document.adoptedStyleSheets.push(sheet);
}

/** A canvas as sharp as the screen; `draw` is called when its size or the colours of the page change. */
export function sharpCanvas(properties, draw) {
  const canvas = make("canvas", properties);
  const fit = () => {
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const scale = window.devicePixelRatio || 1;
    if (!width) return;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.getContext("2d").setTransform(scale, 0, 0, scale, 0, 0);
    draw();
  };
  new ResizeObserver(fit).observe(canvas);
  for (const query of ["(prefers-color-scheme: dark)", "print"]) window.matchMedia(query).addEventListener("change", draw);
  return canvas;
}

/** The colours of the page, as the style sheet has them now. */
export function inks(element) {
  const style = getComputedStyle(element);
  const ink = style.getPropertyValue("--ink").trim();
  const paper = style.getPropertyValue("--paper").trim();
  const edges = new Map();
  return {
    ink, soft: style.getPropertyValue("--soft").trim(), rule: style.getPropertyValue("--rule").trim(), paper,
    font: style.fontFamily,
    of: (colour) => (colour === "currentColor" ? ink : colour),
    edge(colour) {
      if (!edges.has(colour)) edges.set(colour, `rgb(${standingOut(...[colour, paper, ink].map(channels)).join()})`);
      return edges.get(colour);
    },
  };
}

/** Where an event happened inside an element, in CSS pixels. */
export function placeIn(element, event) {
  const box = element.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

/** A count with its noun. */
export function counted(count, noun, nouns = `${noun}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? noun : nouns}`;
}

/** A value of a measure with three digits, as in the tables of a report. */
export function threeDigits(value) {
  return value.toFixed(3);
}
