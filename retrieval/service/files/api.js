/** Requests to the service: JSON, progress of long work, pictures and sounds; the token where it asks for one. */

const KEY = "nearby-token";
const MAX_FILES = 400;
/** What a token consists of; a browser sends no other letters, and would say that there is no answer. */
const TYPED = /^[\x21-\x7e]*$/;
let token = sessionStorage.getItem(KEY) || "";
let askPerson = async () => "";
let asking = null;
const files = new Map();

/** A problem document as an error; its message is the detail. */
export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** `ask(wrong)` lets the person type the token. */
export function onTokenNeeded(ask) {
  askPerson = ask;
}

/** The path of a collection, and of what is below it. */
export function pathOf(collection, ...parts) {
  return ["v1/collections", encodeURIComponent(collection), ...parts].join("/");
}

async function request(path, body, signal, accept = "application/json") {
  for (;;) {
    const used = token;
    const isPossible = TYPED.test(used);
    const headers = { Accept: accept, ...(used && { Authorization: `Bearer ${used}` }), ...(body && { "Content-Type": "application/json" }) };
    let reply;
    try {
      reply = isPossible && await fetch(path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem(0, "The service does not answer. It may have stopped.");
    }
    if (!reply || reply.status === 401) {
      if (used === token) {
        asking = asking || askPerson(used !== "");
        token = await asking;
        asking = null;
        sessionStorage.setItem(KEY, token);
      }
      continue;
    }
    if (!reply.ok) throw new Problem(reply.status, await detailOf(reply));
    return reply;
  }
}

async function detailOf(reply) {
  try {
    return (await reply.json()).detail || reply.statusText;
  } catch {
    return `${reply.status} ${reply.statusText}`;
  }
}

/** The JSON at a path; with a body, the answer to it. */
export async function ask(path, body, signal) {
  return (await request(path, body, signal)).json();
}

/** The result of long work; `say(text)` hears its progress. */
export async function follow(path, body, signal, say) {
  const reply = await request(path, body, signal, "text/event-stream");
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    rest += value || "";
    const events = rest.split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/s.exec(event) || [];
      if (name === "result") return JSON.parse(data);
      if (name === "problem") throw problemOf(JSON.parse(data));
      if (name === "progress") say(JSON.parse(data).text);
    }
    if (done) throw new Problem(0, "The service ended before the result was there.");
  }
}

function problemOf({ status, detail }) {
  return new Problem(status, detail);
}

/** Give a picture or a player the file of an item. An element sends no token, so with one the file is fetched. */
export async function showMedia(element, collection, id) {
  const path = pathOf(collection, "media", encodeURIComponent(id));
  if (!token) {
    element.src = path;
    return;
  }
  try {
    if (!files.has(path)) files.set(path, URL.createObjectURL(await (await request(path)).blob()));
    element.src = files.get(path);
    if (files.size > MAX_FILES) forget(files.keys().next().value);
  } catch {
    element.alt = "not found";
  }
}

function forget(path) {
  URL.revokeObjectURL(files.get(path));
  files.delete(path);
}
