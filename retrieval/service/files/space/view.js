/** Space: what it is, what it costs, what its components are, and whether it is healthy. */

import { address, go } from "../address.js";
import { ask, follow, pathOf } from "../api.js";
import { choice, make } from "../explorer/elements.js";
import { numberText, spaceName, standing } from "../parts.js";
import { componentList } from "./components.js";
import { healthReport } from "./health.js";

/** Build the view in an element; `update(values)` follows the address. */
export function spaceView(element, info) {
  let [stop, shown] = [new AbortController(), ""];
  const [state, busy] = [standing(), standing()];
  const select = choice("space", info.spaces.map((space) => [space.spec, space.spec]), (value) => go({ space: value }));
  const facts = make("div", {});
  const components = make("div", { class: "components" });
  const health = make("div", { class: "health" });
  const measure = make("button", { type: "button", class: "main", text: "Measure the health", onclick: () => go({ health: 1 }) });
  element.append(make("div", { class: "choices" }, select.element), facts, make("h3", { text: "Components" }), busy.element, components,
    make("h3", { text: "Health" }), measure, state.element, health);

  async function update(values) {
    const space = info.spaces.find((one) => one.spec === values.get("space")) || info.spaces[0];
    const wanted = `${space.spec}\n${values.get("health") || ""}`;
    select.select.value = space.spec;
    if (wanted === shown) return;
    shown = wanted;
    stop.abort();
    stop = new AbortController();
    facts.replaceChildren(factList(info, space));
    health.replaceChildren();
    state.say("");
    measure.hidden = Boolean(values.get("health"));
    await Promise.all([showComponents(space, stop.signal), values.get("health") && showHealth(space, stop.signal)]);
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

  async function showHealth(space, signal) {
    state.say("Measuring the health");
    try {
      const found = await follow(pathOf(info.name, `health?space=${encodeURIComponent(space.spec)}`), null, signal, (text) => state.say(text || "Measuring the health"));
      state.say("");
      health.replaceChildren(healthReport(found));
    } catch (error) {
      if (error.name === "AbortError") return;
      shown = "";
      state.fail(error, () => update(address()));
    }
  }

  return { update, close: () => stop.abort() };
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
