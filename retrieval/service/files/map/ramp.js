/** The ramp of colours for values: the style sheet has its stops, which differ in the light and in the dark. */

import { between, channels } from "../explorer/colours.js";

/** The stops of the ramp as the page has them now, from the smallest value to the largest. */
export function rampOf(element) {
  return getComputedStyle(element).getPropertyValue("--ramp").split(",").map(channels);
}

/** The colour at a share (0 to 1) of a ramp. */
export function mixed(ramp, share) {
  const place = Math.min(1, Math.max(0, share)) * (ramp.length - 1);
  const below = Math.min(ramp.length - 2, Math.floor(place));
  return between(ramp[below], ramp[below + 1], place - below);
}
