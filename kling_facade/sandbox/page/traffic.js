// Requests and callbacks: rows, and the whole of one with headers and bodies, fetched when it is opened.

import { element, facts, setText } from "./dom.js";
import { act, clockTime, complain, get, wallOf } from "./live.js";

// most refusals travel under HTTP 200, with their code in the envelope
const isRefusal = ({ status, code }) => typeof code === "number" && code !== status && code !== 200;

function outcome(row) {
  if (row.status !== null) return isRefusal(row) ? `${row.status} / ${row.code}` : String(row.status);
  if (row.problem) return "no answer";
  return row.over === false ? "…" : "closed";
}

function kind(row) {
  if (row.status === null) return row.over === false ? "" : "bad";
  return row.status < 300 && !isRefusal(row) ? "good" : "bad";
}

function line(row) {
  const what = row.method ? `${row.method} ${row.path.split("/").at(-1)}` : row.url;
  const notes = [row.faulty ? "fault" : null, row.forged ? `forged: ${row.forged}` : null,
    row.attempt > 1 ? `attempt ${row.attempt}` : null].filter(Boolean);
  return element("span", { className: "line" },
    element("span", { className: "status", textContent: outcome(row), "data-kind": kind(row) }),
    element("span", { className: "what", textContent: what, title: row.path ?? row.url }),
    ...notes.map((note) => element("span", { className: "note", textContent: note })),
    element("time", { className: "muted", textContent: clockTime(wallOf(row.at)) }));
}

function updateLine(node, row) {
  const status = node.querySelector(".status");
  setText(status, outcome(row));
  status.dataset.kind = kind(row);
}

// In lists on the left

const trafficRow = (tab) => (row) =>
  element("li", {}, element("a", { className: "row", href: `#/${tab}/${row.id}` }, line(row)));
export const requestRow = trafficRow("requests");
export const callbackRow = trafficRow("callbacks");
export const updateRow = updateLine;

// Inside a task, to be opened

function item(row, load) {
  const body = element("div", { className: "opened" });
  const node = element("details", {}, element("summary", {}, line(row)), body);
  node.addEventListener("toggle", async () => {
    if (!node.open) return;
    body.replaceChildren(await load(row.id, "h4"));
  });
  return node;
}
export const requestItem = (row) => item(row, requestClosely);
export const callbackItem = (row) => item(row, callbackClosely);
export const updateItem = (node, row) => updateLine(node.querySelector("summary"), row);

// Closely

async function closely(path, spell) {
  try {
    return spell(await get(path));
  } catch (problem) {
    complain(problem.message);
    return element("p", { className: "muted", textContent: problem.message });
  }
}

export const requestClosely = (id, heading = "h3") => closely(`/page/requests/${id}`, (found) => element("div", {},
  element("h2", { textContent: `${found.method} ${found.path}` }), taskLink(found),
  found.faulty ? element("p", { className: "failure", textContent: "A fault answered in the sandbox's place." }) : null,
  message(heading, "Request", found.request, Object.keys(found.query).length ? [["Query", new URLSearchParams(found.query)]] : []),
  found.status === null
    ? element("p", { className: "failure", textContent: found.over
      ? "No answer: the connection was closed." : "It has not been answered yet." })
    : message(heading, `Answer ${found.status}`, found.answer)));

export const callbackClosely = (id, heading = "h3") => closely(`/page/callbacks/${id}`, (found) => {
  const again = element("button", { type: "button", textContent: "Deliver again" });
  again.addEventListener("click", async () => {
    again.disabled = true;
    await act("deliver", { delivery: found.id });
    again.disabled = false;
  });
  const headers = found.request.headers;
  const signed = headers["x-webhook-signature"];
  return element("div", {}, element("h2", { textContent: "Callback" }), taskLink(found),
    facts([["To", found.url], ["Attempt", found.attempt], ["Forged", found.forged],
      ["Signature", signed ?? "none: the sandbox was started without --webhook-key"],
      ["Signed at", headers["x-webhook-timestamp"]]]),
    again,
    message(heading, "Sent", found.request),
    found.status === null
      ? element("p", { className: "failure", textContent: `No answer: ${found.problem}` })
      : message(heading, `Answer ${found.status}`, found.answer));
});

function taskLink(found) {
  return found.task_id ? element("p", { className: "about" }, "About task ",
    element("a", { href: `#/tasks/${encodeURIComponent(found.task_id)}`, textContent: found.task_id })) : null;
}

function message(heading, title, { headers = {}, text, size, shown }, others = []) {
  const rest = size > shown ? `The first ${shown} of ${size} bytes.` : "";
  const body = size === 0 ? element("p", { className: "muted", textContent: "No body." })
    : text === null || shown === 0 ? element("p", { className: "muted", textContent: `${size} bytes that are no text.` })
    : element("pre", { className: "body", textContent: pretty(text), tabIndex: 0, role: "group", "aria-label": `Body of the ${title.toLowerCase()}` });
  const names = Object.entries(headers);
  return element("section", { className: "message" }, element(heading, { textContent: title }),
    others.length ? facts(others) : null,
    names.length ? element("details", { className: "headers" },
      element("summary", { textContent: `${names.length} headers` }), facts(names)) : null,
    body, unfolded(text), rest ? element("p", { className: "muted", textContent: rest }) : null);
}

function pretty(text, reviver) {
  try {
    return JSON.stringify(JSON.parse(text, reviver), null, 2);
  } catch {
    return text;
  }
}

/** The same with the JSON inside JSON spread out, where there is any. */
function unfolded(text) {
  const unfold = (_key, value) => {
    try {
      return typeof value === "string" && "{[".includes(value[0]) ? JSON.parse(value, unfold) : value;
    } catch {
      return value;
    }
  };
  const spread = pretty(text, unfold);
  if (!text || spread === pretty(text)) return null;
  return element("details", { className: "headers" }, element("summary", { textContent: "JSON inside it, spread out" }),
    element("pre", { className: "body", textContent: spread, tabIndex: 0 }));
}
