/** The page: a collection, a view, and the address that says which. Read this file first. */

import { address, changed, go, onAddress } from "./address.js";
import { ask, onTokenNeeded, pathOf } from "./api.js";
import { compareView } from "./compare/view.js";
import { choice, make } from "./explorer/elements.js";
import { mapView } from "./map/view.js";
import { standing } from "./parts.js";
import { searchView } from "./search/view.js";
import { spaceView } from "./space/view.js";
import { askToken } from "./token.js";

const VIEWS = { search: ["Search", searchView], map: ["Map", mapView], compare: ["Compare", compareView], space: ["Space", spaceView] };
const main = document.getElementById("view");
const state = standing();
const absent = make("p", { class: "note absent", role: "status", hidden: true });
let [collections, open, wanted] = [[], null, ""];

onTokenNeeded(askToken);
onAddress(show);
start();

async function start() {
  main.replaceChildren(state.element);
  state.say("Loading the collections");
  try {
    ({ collections } = await ask("v1/collections"));
  } catch (error) {
    state.fail(error, start);
    return;
  }
  const select = choice("collection", collections.map((one) => [one.name, one.name]), (name) => go({ ...nothing(), view: address().get("view"), collection: name }, null));
  select.select.id = "collection-choice";
  document.getElementById("collection").replaceChildren(select.element);
  await show();
}

const nothing = () => Object.fromEntries([...address().keys()].map((name) => [name, null]));

async function show() {
  const values = address();
  const asked = values.get("collection");
  const name = collections.some((one) => one.name === asked) ? asked : (collections[0] || {}).name;
  sayAbsent(asked, name, values, null);
  const view = values.get("view") in VIEWS ? values.get("view") : "search";
  const key = `${view} ${name}`;
  navigate(view, name);
  if (open && open.key === key) {
    sayAbsent(asked, name, values, open.info);
    open.update(values);
    return;
  }
  if (open) open.close();
  open = null;
  wanted = key;
  main.replaceChildren(state.element);
  state.say(`Opening ${name}`);
  try {
    const info = await ask(pathOf(name));
    if (wanted !== key) return;
    state.say("");
    const heading = make("h2", { class: "hidden", text: `${VIEWS[view][0]} in ${name}` });
    const place = make("div", { class: `view view-${view}` });
    main.replaceChildren(heading, absent, place);
    open = { key, info, ...VIEWS[view][1](place, info) };
    sayAbsent(asked, name, address(), info);
    open.update(address());
  } catch (error) {
    if (wanted === key) state.fail(error, show);
    if (!error.status) throw error;
  }
}

/** Say which collection or space of the address is not there: the view shows another one. */
function sayAbsent(asked, name, values, info) {
  const known = info ? info.spaces.map((space) => space.spec) : [];
  const named = ["space", "a", "b"].flatMap((key) => values.getAll(key));
  const unknown = info ? named.find((spec) => !known.includes(spec)) : undefined;
  let text = "";
  if (asked && asked !== name) text = `No collection “${asked}” is served here: this is “${name}”.`;
  else if (unknown !== undefined) text = `${name} has no space “${unknown}”: its spaces are ${known.join(", ")}.`;
  absent.hidden = !text;
  absent.textContent = text;
}

function navigate(view, name) {
  document.title = `${VIEWS[view][0]} · ${name} · nearby`;
  document.getElementById("collection-choice").value = name;
  document.getElementById("views").replaceChildren(...Object.entries(VIEWS).map(([key, [title]]) => make("a", {
    href: changed({ view: key, collection: name }, new URLSearchParams()), "data-inside": true, "aria-current": key === view && "page", text: title,
  })));
}
