// The sandbox's time, its changes as they come, and what is asked of it.

import { byId } from "./dom.js";

let heard = { now: 0, wall: 0, speed: 1 };
let heardAt = performance.now();
let source = null;

/** Simulated seconds, counted on between two messages. */
export const now = () => heard.now + (heard.speed * (performance.now() - heardAt)) / 1000;
export const wall = () => new Date((heard.wall - heard.now + now()) * 1000);
export const wallOf = (at) => new Date((heard.wall - heard.now + at) * 1000);
export const speed = () => heard.speed;

export const clockTime = (date) => date.toLocaleTimeString([], { hourCycle: "h23" });

/** Follows what somebody looks at; a hidden page gives its connection back. */
export function follow(glance, show) {
  source?.close();
  if (document.hidden) return;
  source = new EventSource(`/page/events?${new URLSearchParams(glance)}`);
  source.onmessage = (event) => {
    const { clock, view } = JSON.parse(event.data);
    heard = clock;
    heardAt = performance.now();
    complain("");
    if (view) show(view);
  };
  source.onerror = () => complain("The sandbox does not answer. If it was ended, start it again: this page will find it.");
}

export function complain(text) {
  const trouble = byId("trouble");
  if (trouble.textContent !== text) trouble.textContent = text;
  trouble.hidden = !text;
}

export async function get(path) {
  const answer = await fetch(path);
  const document = await answer.json();
  if (!answer.ok) throw new Error(document.error);
  return document;
}

/** Presses one of the sandbox's buttons; says what came of it. */
export async function act(name, given = {}) {
  const headers = { "content-type": "application/json" };
  try {
    const answer = await fetch(`/page/acts/${name}`, { method: "POST", headers, body: JSON.stringify(given) });
    if (answer.ok) return true;
    complain((await answer.json()).error);
  } catch {
    complain("The sandbox does not answer.");
  }
  return false;
}
