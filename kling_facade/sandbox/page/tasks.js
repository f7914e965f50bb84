// Tasks: a row with a picture, and one looked at closely with its video and its time line.

import { element, facts, match, setText } from "./dom.js";
import { act, now, wallOf, clockTime } from "./live.js";
import { callbackItem, requestItem, updateItem } from "./traffic.js";

const STATES = ["waiting", "queuing", "generating"];
const span = (seconds) => seconds >= 600 ? `${Math.round(seconds / 60)} min` : `${seconds.toFixed(0)} s`;
const about = (task) => `${task.seconds} s${task.sound ? ", sound" : ""} · ${task.price} credits`;

function stateWord(state) {
  return element("span", { className: "state", textContent: state, "data-state": state });
}

function updateState(node, state) {
  setText(node, state);
  node.dataset.state = state;
}

/** Three states side by side, as long as they last, each filled as far as it is over. */
function timeline(task) {
  const { queuing, generating, done } = task.course;
  const bounds = done === null ? [0, Infinity] : [0, queuing, generating, done];
  const line = element("div", { className: "timeline", ariaHidden: "true" });
  for (const [place, begins] of bounds.slice(0, -1).entries()) {
    const part = element("span", { className: "part", title: STATES[place], "data-state": STATES[place] }, element("i"));
    part.style.flexGrow = done === null ? 1 : bounds[place + 1] - begins;
    line.append(part);
  }
  line.dataset.endless = done === null;
  line.tick = (state) => {
    line.dataset.state = state;
    const age = now() - task.at;
    for (const [place, part] of [...line.children].entries()) {
      const [begins, ends] = [bounds[place], bounds[place + 1]];
      const over = ends <= age ? 1 : Math.max(0, (age - begins) / (ends - begins));
      part.firstElementChild.style.width = `${(100 * over).toFixed(1)}%`;
    }
  };
  return line;
}

export function taskRow(task) {
  const line = timeline(task);
  const picture = task.picture
    ? element("img", { src: task.picture, alt: "", loading: "lazy", decoding: "async", width: 64, height: 64 })
    : element("span", { className: "no-picture", textContent: "no picture" });
  const link = element("a", { href: `#/tasks/${encodeURIComponent(task.id)}`, className: "row task" }, picture,
    element("span", { className: "words" },
      element("span", { className: "prompt", textContent: task.prompt }),
      element("span", { className: "meta" }, stateWord(task.state), ` ${about(task)}`), line));
  const item = element("li", {}, link);
  item.tick = () => line.tick(item.state);
  return item;
}

export function updateTaskRow(item, task) {
  if (item.state === task.state) return;
  item.state = task.state;
  updateState(item.querySelector(".state"), task.state);
  item.tick();
}

/** One task; made once, then kept up to date, so that a playing video goes on. */
export function taskClosely(task) {
  const media = element("div", { className: "media" });
  const line = timeline(task);
  const legend = element("ol", { className: "legend" });
  const progress = element("p", { className: "progress" });
  const failure = element("p", { className: "failure", hidden: true });
  const callbacks = element("div", { className: "items" });
  const requests = element("div", { className: "items" });
  const send = element("button", { type: "button", textContent: "Send a callback now" });
  send.addEventListener("click", () => act("deliver", { task: task.id }));
  const counts = { callbacks: element("span", { className: "muted" }), requests: element("span", { className: "muted" }) };
  const state = stateWord(task.state);
  const node = element("article", {},
    element("h2", { className: "prompt", textContent: task.prompt }),
    element("p", { className: "meta" }, state, " ", element("code", { textContent: task.id })),
    media, line, legend, progress, failure,
    facts([["Model", task.model], ["Video", about(task)], ["Picture", task.image], ["Callback URL", task.callback_url],
      ["Accepted", clockTime(wallOf(task.at))]]),
    element("section", {}, element("h3", {}, "Callbacks ", counts.callbacks), callbacks,
      task.callback_url ? send : element("p", { className: "muted", textContent: "The task was created without a callBackUrl." })),
    element("section", {}, element("h3", {}, "Requests ", counts.requests), requests));
  markBeginnings(legend, task);
  node.tick = () => {
    line.tick(node.state);
    setText(progress, spellProgress(task, node.state));
  };
  node.update = (found) => {
    if (node.state !== found.state) showState(found);
    match(callbacks, found.callbacks, callbackItem, updateItem);
    match(requests, found.requests, requestItem, updateItem);
    for (const [name, count] of Object.entries(counts)) {
      const total = found.totals[name];
      setText(count, total > found[name].length ? `the latest ${found[name].length} of ${total}` : total);
    }
  };
  function showState(found) {
    node.state = found.state;
    updateState(state, found.state);
    failure.hidden = !found.failure;
    setText(failure, found.failure ?? "");
    media.replaceChildren(...shownMedia(found));
    node.tick();
  }
  return node;
}

function shownMedia(task) {
  if (task.state === "success" && task.picture) {
    const video = element("video", { src: `/page/videos/${encodeURIComponent(task.id)}.mp4`, controls: true,
      preload: "metadata", poster: task.picture, playsInline: true });
    video.setAttribute("aria-label", `The video: ${task.prompt}`);
    return [video];
  }
  return task.picture ? [element("img", { src: task.picture, alt: "The picture that the video starts from" })] : [];
}

function markBeginnings(legend, task) {
  const { queuing, generating, done } = task.course;
  const beginnings = done === null ? [["waiting", 0]]
    : [["waiting", 0], ["queuing", queuing], ["generating", generating], ["end", done]];
  legend.append(...beginnings.map(([name, at]) => element("li", {},
    element("span", { className: "state", textContent: name, "data-state": name }),
    element("time", { className: "muted", textContent: clockTime(wallOf(task.at + at)) }))));
}

function spellProgress(task, state) {
  const age = Math.max(0, now() - task.at);
  if (state === "success" || state === "fail") return `Ended after ${span(task.course.done)}.`;
  if (task.course.done === null) return `${span(age)} old. It will wait for ever, as the scenario wanted.`;
  return `${span(age)} of ${span(task.course.done)} are over.`;
}
