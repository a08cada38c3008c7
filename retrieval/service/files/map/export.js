/** A selection as files: CSV for tables, quoted ids for `nearby delete`. */

/** A cell of CSV (RFC 4180); one that a spreadsheet would run as a formula begins with an apostrophe. */
export function cell(value) {
  const text = value === null || value === undefined ? "" : String(value);
  const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Rows of cells as CSV. */
export function csv(rows) {
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** An id as one word of a shell, and of xargs. */
export function quoted(id) {
  return `'${id.replaceAll("'", "'\\''")}'`;
}

/** Ids as a file for `xargs nearby delete FOLDER -- < FILE`; xargs takes no id with a line break. */
export function idLines(ids) {
  return ids.filter((id) => !/[\r\n\0]/.test(id)).map((id) => `${quoted(id)}\n`).join("");
}

/** Let the person save a text as a file. */
export function save(name, type, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
