/** Space: what it is, what it costs, how it was trained, what its codes mean, and whether it is healthy. */

import { address, changed, go } from "../address.js";
import { ask, follow, pathOf } from "../api.js";
import { choice, make } from "../explorer/elements.js";
import { colourOf, numberText, spaceName, standing } from "../parts.js";
import { componentList } from "./components.js";
import { healthReport } from "./health.js";
import { reconstruction, UNCHANGED } from "./reconstruction.js";
import { trainingCurves } from "./training.js";
import { walk } from "./walk.js";

/** Build the view in an element; `update(values)` follows the address. */
export function spaceView(element, info) {
  let [shown, ends] = [null, null];
  const running = {};
  const [state, busy] = [standing(), standing()];
  const select = choice("space", info.spaces.map((space) => [space.spec, space.spec]), (value) => go({ space: value, ...UNCHANGED }));
  const facts = make("div", {});
  const training = make("section", { "aria-label": "Training", hidden: true });
  const components = make("div", { class: "components" });
  const copy = reconstruction(info);
  const way = walk(info);
  const wayPart = make("div", { hidden: true }, make("h3", { text: "From one item to another" }), way.element);
  const health = make("div", { class: "health" });
  const measure = make("button", { type: "button", class: "main", text: "Measure the health", onclick: () => go({ health: 1 }) });
  element.append(make("div", { class: "choices" }, select.element), facts, training, make("h3", { text: "Components" }), busy.element, components,
    make("h3", { text: "Reconstruction" }), copy.element, wayPart, make("h3", { text: "Health" }), measure, state.element, health);

  // End what runs for a part, and give it a new signal: another item does not end the reading of the components.
  function renew(part) {
    if (running[part]) running[part].abort();
    running[part] = new AbortController();
    return running[part].signal;
  }

  async function update(values) {
    const space = info.spaces.find((one) => one.spec === values.get("space")) || info.spaces[0];
    const wanted = { space: space.spec, health: values.get("health") || "", copies: changed({ space: null, health: null }, values) };
    const differs = (part) => !shown || shown[part] !== wanted[part];
    const [isNew, isMeasured, isChanged] = [differs("space"), differs("space") || differs("health"), differs("space") || differs("copies")];
    shown = wanted;
    select.select.value = space.spec;
    measure.hidden = Boolean(wanted.health);
    if (isNew) facts.replaceChildren(factList(info, space));
    if (isMeasured) {
      health.replaceChildren();
      state.say("");
    }
    const signal = isMeasured ? renew("health") : null;
    await Promise.all([...(isNew ? [showTraining(space, renew("training")), showComponents(space, renew("components"))] : []),
      isChanged && showCopies(space, values, renew("copies")), isMeasured && wanted.health && showHealth(space, signal)]);
  }

  async function showTraining(space, signal) {
    training.hidden = true;
    try {
      const found = await ask(pathOf(info.name, `training?space=${encodeURIComponent(space.spec)}`), null, signal);
      training.hidden = !found.phases.length;
      training.replaceChildren(make("h3", { text: "Training" }), trainingCurves(found, colourOf(info, space.spec)));
    } catch (error) {
      if (error.name !== "AbortError") training.replaceChildren(make("p", { class: "problem", text: error.message }));
    }
  }

  async function showComponents(space, signal) {
    busy.say("Reading the components");
    try {
      const found = await ask(pathOf(info.name, `components?space=${encodeURIComponent(space.spec)}`), null, signal);
      busy.say(found.note ?? "", false);
      components.replaceChildren(found.note ? "" : componentList(found));
    } catch (error) {
      if (error.name === "AbortError") return;
      components.replaceChildren();
      busy.fail(error);
    }
  }

  async function showCopies(space, values, signal) {
    try {
      ends = ends || (await ask(pathOf(info.name, "items?limit=2"), null, signal)).items.map((item) => item.id);
      const found = await copy.show(space.spec, values.get("item") || ends[0], values, signal);
      wayPart.hidden = found.note !== undefined || space.kind === "sparse" || ends.length < 2;
      if (!wayPart.hidden) await way.show(space.spec, values, ends, signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      wayPart.hidden = true;
      shown = null;
      copy.fail(error, error.status === 404 ? null : () => update(address()));
    }
  }

  async function showHealth(space, signal) {
    state.say("Measuring the health");
    try {
      const found = await follow(pathOf(info.name, `health?space=${encodeURIComponent(space.spec)}`), null, signal, (text) => state.say(text || "Measuring the health"));
      state.say("");
      health.replaceChildren(healthReport(found));
    } catch (error) {
      if (error.name === "AbortError") return;
      shown = null;
      state.fail(error, () => update(address()));
    }
  }

  return { update, close: () => Object.values(running).forEach((one) => one.abort()) };
}

function factList(info, space) {
  const facts = {
    index: space.index, codes: `${numberText(space.dim)} numbers, ${space.kind}`, metric: space.metric,
    items: numberText(info.items), size: `${numberText(space.code_bytes)} bytes, ${numberText(space.code_bytes / Math.max(1, info.items), 1)} per item`,
    "time to fit": `${numberText(space.fit_seconds, 2)} s`, "time to encode": `${numberText(space.encode_seconds, 2)} s`,
    fitted: space.fitted_on_present_items ? "on the present items" : "before items were added or removed",
  };
  return make("div", {}, make("h3", { class: "space-name" }, ...spaceName(info, space.spec)),
    make("dl", {}, ...Object.entries(facts).flatMap(([name, value]) => [make("dt", { text: name }), make("dd", { text: value })])));
}
