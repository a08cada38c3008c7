/** The losses of a training by epoch, as SVG: axes with units, the epoch whose weights were kept. */

import { make } from "../explorer/elements.js";
import { numberText } from "../parts.js";

const [WIDTH, HEIGHT] = [420, 250];
const FRAME = { left: 56, right: WIDTH - 84, top: 30, bottom: HEIGHT - 40 };
const LOGARITHMIC = 4;
const NAMESPACE = "http://www.w3.org/2000/svg";

/** All phases as elements. */
export function trainingCurves(found, colour) {
  return make("div", { class: "curves" }, ...found.phases.filter((phase) => phase.validation_loss.length).map((phase) => curve(phase, colour)));
}

function curve(phase, colour) {
  const isComparable = phase.train_measure === phase.validation_measure;
  const lines = [...(isComparable ? [["training", phase.train_loss]] : []), ["validation", phase.validation_loss]];
  const values = lines.flatMap(([, losses]) => losses);
  const scale = scaleOf(Math.min(...values), Math.max(...values));
  const count = phase.validation_loss.length;
  const across = (epoch) => FRAME.left + ((FRAME.right - FRAME.left) * (count > 1 ? epoch / (count - 1) : 0.5));
  const upward = (value) => FRAME.bottom - (FRAME.bottom - FRAME.top) * scale.share(value);
  const best = phase.validation_loss[phase.best_epoch - 1];
  const answer = `Lowest validation ${phase.validation_measure} ${numberText(best)} in epoch ${phase.best_epoch} of ${count}; ${numberText(phase.seconds, 1)} s`;
  const drawing = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${phase.name}: ${phase.validation_measure} by epoch. ${answer}` },
    text(4, 14, unitOf(phase, scale.isLogarithmic)),
    ...scale.ticks.flatMap((value) => [element("line", { class: "rule", x1: FRAME.left, x2: FRAME.right, y1: upward(value), y2: upward(value) }), text(FRAME.left - 6, upward(value) + 4, short(value), "end")]),
    ...epochs(count).map((epoch) => text(across(epoch - 1), FRAME.bottom + 17, String(epoch), "middle")),
    text((FRAME.left + FRAME.right) / 2, FRAME.bottom + 35, "epoch", "middle"),
    ...lines.map(([name, losses]) => element("path", { class: name === "training" ? "line faint" : "line", stroke: colour, d: losses.map((value, at) => `${at ? "L" : "M"}${across(at).toFixed(1)} ${upward(value).toFixed(1)}`).join("") })),
    element("circle", { cx: across(phase.best_epoch - 1), cy: upward(best), r: 4.5, fill: colour }),
    ...names(lines, upward));
  return make("figure", {}, make("figcaption", {}, make("strong", { text: phase.name }), make("small", { text: answer })), drawing);
}

// The names stand at the ends of the lines, one below the other where they would overlap.
function names(lines, upward) {
  const ends = lines.map(([name, losses]) => [name, upward(losses[losses.length - 1]) + 4]).sort((a, b) => a[1] - b[1]);
  if (ends.length > 1 && ends[1][1] - ends[0][1] < 14) ends[1][1] = ends[0][1] + 14;
  return ends.map(([name, y]) => text(FRAME.right + 6, y, name));
}

function unitOf(phase, isLogarithmic) {
  const name = phase.validation_measure === "loss" && phase.loss_unit ? `loss in ${phase.loss_unit}` : phase.validation_measure;
  return isLogarithmic ? `${name} (log)` : name;
}

/** Shares of the height, and ticks: of powers of ten where losses fall by much. */
export function scaleOf(low, high) {
  const isLogarithmic = low > 0 && high / low > LOGARITHMIC;
  const ticks = isLogarithmic ? decades(low, high) : roundTicks(low, high);
  const [least, most] = [Math.min(low, ticks[0]), Math.max(high, ticks[ticks.length - 1])].map((value) => (isLogarithmic ? Math.log10(value) : value));
  return { isLogarithmic, ticks, share: (value) => ((isLogarithmic ? Math.log10(value) : value) - least) / (most - least || 1) };
}

function roundTicks(low, high) {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
  const ticks = [];
  for (let at = Math.floor(low / step); at <= Math.ceil((high > low ? high : low + span) / step); at += 1) ticks.push(Number((at * step).toPrecision(12)));
  return ticks;
}

function decades(low, high) {
  const powers = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) powers.push(power);
  const all = powers.flatMap((power) => [1, 2, 5].map((factor) => Number(`${factor}e${power}`)));
  const some = all.slice(all.findLastIndex((value) => value <= low), all.findIndex((value) => value >= high) + 1);
  if (some.length < 7) return some;
  const every = Math.ceil(powers.length / 7);
  return powers.filter((_, at) => at % every === 0 || at === powers.length - 1).map((power) => Number(`1e${power}`));
}

function epochs(count) {
  if (count < 2) return [1];
  const middle = Math.round((count + 1) / 2);
  return count > 4 ? [1, middle, count] : [1, count];
}

const short = (value) => (Math.abs(value) >= 10_000 || (value && Math.abs(value) < 0.001) ? value.toExponential(0) : value.toLocaleString("en", { maximumFractionDigits: 6 }));

function element(tag, attributes, ...children) {
  const made = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function text(x, y, words, anchor = "start") {
  return element("text", { x, y, "text-anchor": anchor }, words);
}
