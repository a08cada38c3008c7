/** The state of the page: the query of the address. A file that is searched for lies in the history beside it. */

let follow = () => {};

/** Call `listener` whenever the address changes, by a link, by code, or by Back and Forward. A link with data-inside="keep" keeps the file. */
export function onAddress(listener) {
  follow = listener;
  window.addEventListener("popstate", () => follow());
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-inside]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    history.pushState(link.dataset.inside === "keep" ? history.state : null, "", link.href);
    follow();
  });
}

/** The values of the address. */
export function address() {
  return new URLSearchParams(location.search);
}

/** The address with some values changed: a list repeats a name, null leaves it out. */
export function changed(changes, from = address()) {
  const values = new URLSearchParams(from);
  for (const [name, value] of Object.entries(changes)) {
    values.delete(name);
    for (const one of Array.isArray(value) ? value : [value]) if (one !== null && one !== undefined && one !== "") values.append(name, one);
  }
  return `?${values}`;
}

/** Go to a changed address; Back leads to the present one. */
export function go(changes, file = history.state) {
  history.pushState(file, "", changed(changes));
  follow();
}

/** Write what the view shows already into the address, without a step for Back. */
export function note(changes) {
  history.replaceState(history.state, "", changed(changes) + location.hash);
}
