/** The state of an explorer in the fragment of the address, so that a reload or a link shows the same. */

const MARK = "explore";

/** The state that the address holds for the explorer of a key; empty without one. */
export function readFragment(key) {
  const given = new URLSearchParams(location.hash.slice(1));
  return given.get(MARK) === key ? Object.fromEntries(given) : {};
}

/** Write a state; what is undefined or empty is left out. The page does not jump, and "back" leaves it. */
export function writeFragment(key, state) {
  const kept = new URLSearchParams({ [MARK]: key });
  for (const [name, value] of Object.entries(state)) if (value !== undefined && value !== "" && value !== null) kept.set(name, value);
  history.replaceState(null, "", `#${kept}`);
}
