/** The health of a space: its verdict, what was found beside chance, and what trying a remedy gained. */

import { counted, make } from "../explorer/elements.js";
import { numberText, scrolling } from "../parts.js";

/** The report as an element. */
export function healthReport(found) {
  const measured = `${counted(found.n_sampled, "item")} of ${found.n_items.toLocaleString("en")} were measured${found.judged_by ? `, judged by ${found.judged_by}` : ""}.`;
  return make("div", {}, ...found.spaces.flatMap(spaceParts), make("p", { class: "note", text: measured }), ...found.notes.map((text) => make("p", { class: "note", text })));
}

function spaceParts(space) {
  const rows = Object.entries(space.findings).filter(([, finding]) => finding.value !== null).map(([name, finding]) => make("tr", {},
    make("th", { scope: "row", text: name.replaceAll("_", " ") }), make("td", { class: `level ${finding.verdict || ""}`, text: finding.verdict || "" }),
    make("td", { text: numberText(finding.value) }), make("td", { text: numberText(finding.chance) }),
    make("td", { class: "words", text: [finding.note, finding.try ? `Try: ${finding.try}.` : ""].filter(Boolean).join(". ") })));
  const tried = space.remedies.filter((trial) => trial.gain).map((trial) => make("tr", {},
    make("th", { scope: "row", text: trial.detail ? `${trial.name} (${trial.detail})` : trial.name }), make("td", { text: numberText(trial.gain.before) }), make("td", { text: numberText(trial.gain.after) }),
    make("td", { text: `${numberText(trial.gain.difference)} (${trial.gain.interval.map((value) => numberText(value)).join(" to ")})` }), make("td", { text: trial.gain.verdict })));
  return [
    make("p", { class: "answer" }, "Verdict: ", make("strong", { class: `level ${space.verdict}`, text: space.verdict }), space.reason ? `: ${space.reason}` : ""),
    scrolling(`Findings of ${space.spec}`, ["check", "verdict", "value", "chance", "note"], rows),
    ...(tried.length ? [make("h4", { text: "Remedies that were tried" }), scrolling(`Remedies of ${space.spec}`, ["remedy", "before", "after", "difference", "verdict"], tried)] : []),
  ];
}
