/** Colours as numbers, and the ramp for values: the style sheet has its stops, which differ in the light and in the dark. */

/** "#rrggbb" or "#rgb" as three numbers. */
export function channels(colour) {
  const digits = colour.trim().slice(1);
  const value = Number.parseInt(digits.length === 3 ? digits.replace(/./g, "$&$&") : digits, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** The stops of the ramp as the page has them now, from the smallest value to the largest. */
export function rampOf(element) {
  return getComputedStyle(element).getPropertyValue("--ramp").split(",").map(channels);
}

/** The colour at a share (0 to 1) of a ramp. */
export function mixed(ramp, share) {
  const place = Math.min(1, Math.max(0, share)) * (ramp.length - 1);
  const below = Math.min(ramp.length - 2, Math.floor(place));
  return ramp[below].map((value, at) => Math.round(value + (ramp[below + 1][at] - value) * (place - below)));
}
