/** Dots as pixels: a hundred thousand are written into one picture at every frame, which no element per dot could do. */

import { mark } from "../explorer/scatter.js";
import { channels } from "./ramp.js";

const OPAQUE = 0.8;
const FAINT = 0.1;

/** The picture of one mark: places and coverages of its pixels about its middle. */
export function stamp(shape, radius) {
  const half = Math.ceil(radius * 1.3) + 1;
  const edge = 2 * half + 1;
  const canvas = new OffscreenCanvas(edge, edge);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  mark(pen, half + 0.5, half + 0.5, radius, shape);
  const { data } = pen.getImageData(0, 0, edge, edge);
  const pixels = [];
  for (let at = 0; at < edge * edge; at += 1) if (data[4 * at + 3]) pixels.push([at % edge - half, Math.floor(at / edge) - half, data[4 * at + 3] / 255]);
  return { half, right: Int16Array.from(pixels, ([x]) => x), down: Int16Array.from(pixels, ([, y]) => y), cover: Float32Array.from(pixels, ([, , cover]) => cover) };
}

/**
 * Draw the dots of a map into ImageData. `looks` gives each label a colour and a stamp; `on` says which stand out (null: all);
 * `order` says which are drawn last, on top (null: as the items follow).
 */
export function drawDots(image, map, view, { labels, looks, on, paper, order }) {
  const { width, height } = image;
  const words = new Uint32Array(image.data.buffer);
  words.fill(word(channels(paper)));
  for (const standsOut of on ? [0, 1] : [1]) {
    const prepared = looks.map((look) => prepare(look, width, standsOut ? OPAQUE : FAINT));
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

// Coverages as whole numbers of 256, and places of pixels as distances in memory.
function prepare({ stamp: { half, right, down, cover }, colour }, width, strength) {
  const whole = word(colour);
  return {
    half, right, down, count: cover.length, steps: Int32Array.from(cover, (_, at) => down[at] * width + right[at]),
    shares: Int32Array.from(cover, (share) => Math.round(256 * share * strength)), outer: whole & 0xff00ff, inner: whole & 0xff00,
  };
}

// Red and blue are mixed in one multiplication, green in another.
function mixed(below, { outer, inner }, share) {
  const rest = 256 - share;
  return 0xff000000 | (((Math.imul(below & 0xff00ff, rest) + Math.imul(outer, share)) >>> 8) & 0xff00ff)
    | (((Math.imul(below & 0xff00, rest) + Math.imul(inner, share)) >>> 8) & 0xff00);
}

function put(words, middle, look) {
  const { count, steps, shares } = look;
  for (let pixel = 0; pixel < count; pixel += 1) {
    const at = middle + steps[pixel];
    words[at] = mixed(words[at], look, shares[pixel]);
  }
}

function putAtEdge(words, width, height, x, y, look) {
  for (let pixel = 0; pixel < look.count; pixel += 1) {
    const [across, below] = [x + look.right[pixel], y + look.down[pixel]];
    if (across < 0 || below < 0 || across >= width || below >= height) continue;
    const at = below * width + across;
    words[at] = mixed(words[at], look, look.shares[pixel]);
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
