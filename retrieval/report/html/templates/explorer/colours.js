/** Colours as three numbers: mixed, and made to stand out from the paper. */

// WCAG 1.4.11 asks for a contrast of 3; a smooth edge on the grid of pixels loses some of it.
const CONTRAST = 4;

/**
 * A colour, mixed with that of the text until it stands out from the paper: the edge of a dot that a faint filling would lose.
 * All are three numbers; `cover` is the share of the paper that the colour hides.
 */
export function standingOut(colour, paper, ink, cover = 1) {
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = between(colour, ink, share);
    const [dark, light] = [luminance(between(paper, mixed, cover)), luminance(paper)].sort((a, b) => a - b);
    if ((light + 0.05) / (dark + 0.05) >= CONTRAST) return mixed;
  }
  return ink;
}

/** The colour at a share of the way from one to another, all as three numbers. */
export function between(from, to, share) {
  return from.map((value, at) => Math.round(value + share * (to[at] - value)));
}

/** "#rrggbb" or "#rgb" as three numbers. */
export function channels(colour) {
  const digits = colour.trim().slice(1);
  const value = Number.parseInt(digits.length === 3 ? digits.replace(/./g, "$&$&") : digits, 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

// Relative luminance, as WCAG defines it.
function luminance(colour) {
  const [red, green, blue] = colour.map((part) => (part <= 10 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
