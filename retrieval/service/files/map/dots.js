/** Dots as pixels: a hundred thousand are written into one picture at every frame, which no element per dot could do. */

import { between, standingOut } from "../explorer/colours.js";
import { mark } from "../explorer/scatter.js";

const OPAQUE = 0.8;
const FAINT = 0.1;
// The share of the paper that a small mark hides where it is densest.
const HIDDEN = 0.65;

/** The picture of one mark: places and coverages of its pixels about its middle, and the share of each that is its edge. */
export function stamp(shape, radius) {
  const half = Math.ceil(radius * 1.3) + 1;
  const width = 2 * half + 1;
  const [whole, inside] = [coverages(shape, radius, half), coverages(shape, Math.max(0, radius - 1), half)];
  const pixels = [...whole.keys()].filter((at) => whole[at]);
  return {
    half, right: Int16Array.from(pixels, (at) => at % width - half), down: Int16Array.from(pixels, (at) => Math.floor(at / width) - half),
    cover: Float32Array.from(pixels, (at) => whole[at]), edge: Float32Array.from(pixels, (at) => 1 - inside[at]),
  };
}

/** How much of each pixel of a square a mark in its middle covers. */
function coverages(shape, radius, half) {
  const width = 2 * half + 1;
  const pen = new OffscreenCanvas(width, width).getContext("2d", { willReadFrequently: true });
  mark(pen, half + 0.5, half + 0.5, radius, shape);
  const { data } = pen.getImageData(0, 0, width, width);
  return Float32Array.from({ length: width * width }, (_, at) => data[4 * at + 3] / 255);
}

/**
 * Draw the dots of a map into ImageData. `looks` gives each label a colour and a stamp; colours are three numbers; `on` says which stand out (null: all);
 * `order` says which are drawn last, on top (null: as the items follow).
 */
export function drawDots(image, map, view, { labels, looks, on, paper, ink, order }) {
  const { width, height } = image;
  const words = new Uint32Array(image.data.buffer);
  words.fill(word(paper));
  for (const standsOut of on ? [0, 1] : [1]) {
    const prepared = looks.map((look) => prepare(look, width, standsOut ? OPAQUE : FAINT, standingOut(look.colour, paper, ink, HIDDEN)));
    for (let turn = 0; turn < map.x.length; turn += 1) {
      const at = order ? order[turn] : turn;
      if (on && on[at] !== standsOut) continue;
      const look = prepared[labels[at] + 1];
      const x = Math.round((map.x[at] - view.x) * view.scale);
      const y = Math.round(height - (map.y[at] - view.y) * view.scale);
      // written so that a place of NaN is outside
      if (x >= look.half && y >= look.half && x < width - look.half && y < height - look.half) put(words, y * width + x, look);
      else if (x > -look.half && y > -look.half && x < width + look.half && y < height + look.half) putAtEdge(words, width, height, x, y, look);
    }
  }
}

const word = ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;

// Coverages as whole numbers of 256, places of pixels as distances in memory, and the colour of each pixel.
function prepare({ stamp: { half, right, down, cover, edge }, colour }, width, strength, edgeColour) {
  const words = Int32Array.from(edge, (share) => word(between(colour, edgeColour, share)));
  return {
    half, right, down, count: cover.length, steps: Int32Array.from(cover, (_, at) => down[at] * width + right[at]),
    shares: Int32Array.from(cover, (share) => Math.round(256 * share * strength)), outer: words.map((one) => one & 0xff00ff), inner: words.map((one) => one & 0xff00),
  };
}

// Red and blue are mixed in one multiplication, green in another.
function mixed(below, outer, inner, share) {
  const rest = 256 - share;
  return 0xff000000 | (((Math.imul(below & 0xff00ff, rest) + Math.imul(outer, share)) >>> 8) & 0xff00ff)
    | (((Math.imul(below & 0xff00, rest) + Math.imul(inner, share)) >>> 8) & 0xff00);
}

function put(words, middle, look) {
  const { count, steps, shares, outer, inner } = look;
  for (let pixel = 0; pixel < count; pixel += 1) {
    const at = middle + steps[pixel];
    words[at] = mixed(words[at], outer[pixel], inner[pixel], shares[pixel]);
  }
}

function putAtEdge(words, width, height, x, y, look) {
  for (let pixel = 0; pixel < look.count; pixel += 1) {
    const [across, below] = [x + look.right[pixel], y + look.down[pixel]];
    if (across < 0 || below < 0 || across >= width || below >= height) continue;
    const at = below * width + across;
    words[at] = mixed(words[at], look.outer[pixel], look.inner[pixel], look.shares[pixel]);
  }
}

/** The dot nearest to a place, within some reach, both in units of the map; -1 for none. */
export function nearestDot(map, x, y, reach, on) {
  let [best, least] = [-1, reach * reach];
  for (let at = 0; at < map.x.length; at += 1) {
    if (on && !on[at]) continue;
    const away = (map.x[at] - x) ** 2 + (map.y[at] - y) ** 2;
    if (away < least) [best, least] = [at, away];
  }
  return best;
}

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/** The next dot in the direction of an arrow key; the present one where none follows. */
export function dotBeside(map, present, key, on) {
  const [right, up] = DIRECTIONS[key];
  let [best, least] = [present, Infinity];
  for (let at = 0; at < map.x.length; at += 1) {
    if (on && !on[at]) continue;
    const [x, y] = [map.x[at] - map.x[present], map.y[at] - map.y[present]];
    const along = x * right + y * up;
    const aside = Math.abs(x * up) + Math.abs(y * right);
    if (along > 1e-6 && aside <= 2 * along && along + 2 * aside < least) [best, least] = [at, along + 2 * aside];
  }
  return best;
}
