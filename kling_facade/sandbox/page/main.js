// Where the page is, says its address: #/tasks, #/tasks/<id>, #/requests?page=2 …

import { byId, copyable, match, setText } from "./dom.js";
import { clockTime, complain, follow, get, now, speed, wall } from "./live.js";
import { prepare, showRules } from "./switches.js";
import { taskClosely, taskRow, updateTaskRow } from "./tasks.js";
import { callbackClosely, callbackRow, requestClosely, requestRow, updateRow } from "./traffic.js";

const TABS = {
  tasks: { row: taskRow, update: updateTaskRow, nothing: "No task yet." },
  requests: { row: requestRow, update: updateRow, nothing: "No request yet.", closely: requestClosely },
  callbacks: { row: callbackRow, update: updateRow, nothing: "No callback yet. They go to a task's callBackUrl when it ends.",
    closely: callbackClosely },
};

let place = null;
let known = new Map(); // states by task, for what is news

function readPlace() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [tab, chosen] = path.split("/");
  const page = Math.max(1, Number.parseInt(new URLSearchParams(query).get("page"), 10) || 1);
  return { tab: tab in TABS ? tab : "tasks", page, chosen: decodeURIComponent(chosen ?? "") };
}

function go() {
  const before = place;
  place = readPlace();
  if (before && !location.hash.includes("?") && before.tab === place.tab) place.page = before.page;
  if (before?.tab !== place.tab || before?.page !== place.page) byId("rows").replaceChildren();
  if (before?.tab !== place.tab || before?.chosen !== place.chosen) chooseAnother(before);
  document.body.classList.toggle("close", place.chosen !== "");
  byId("back").href = `#/${place.tab}?page=${place.page}`;
  for (const link of document.querySelectorAll("nav [data-tab]")) {
    if (link.dataset.tab === place.tab) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  follow({ tab: place.tab, page: place.page, chosen: place.tab === "tasks" ? place.chosen : "" }, show);
}

async function chooseAnother(before) {
  byId("closely").replaceChildren();
  byId("closely").tick = null;
  const { tab, chosen } = place;
  if (before && chosen) byId("detail").focus({ preventScroll: true });
  if (!chosen || tab === "tasks") return;
  const node = await TABS[tab].closely(encodeURIComponent(chosen));
  if (place.tab === tab && place.chosen === chosen) byId("closely").replaceChildren(node);
}

function show(view) {
  const started = performance.now();
  showRules(view.rules, view.credits);
  for (const link of document.querySelectorAll("nav [data-tab]")) {
    setText(link.querySelector(".count"), view.totals[link.dataset.tab]);
  }
  const tab = TABS[place.tab];
  match(byId("rows"), view.rows, tab.row, tab.update);
  for (const item of byId("rows").children) {
    const chosen = item.dataset.id === place.chosen;
    item.firstElementChild.ariaCurrent = chosen ? "true" : null;
  }
  showPager(view);
  showTask(view.task);
  const asked = view.totals.tasks + view.totals.requests > 0;
  byId("welcome").hidden = asked || place.chosen !== "";
  byId("choose").hidden = !asked || place.chosen !== "";
  byId("nothing").hidden = view.rows.length > 0;
  setText(byId("nothing"), tab.nothing);
  if (place.tab === "tasks") tellNews(view.rows);
  performance.measure("show", { start: started });
  document.body.dataset.live = "true";
}

function showTask(task) {
  if (place.tab !== "tasks" || !place.chosen) return;
  const box = byId("closely");
  if (!task) {
    box.replaceChildren();
    box.append("There is no such task: the sandbox may have been started anew.");
    return;
  }
  if (box.firstElementChild?.dataset.id !== task.id) {
    const node = taskClosely(task);
    node.dataset.id = task.id;
    box.replaceChildren(node);
  }
  box.firstElementChild.update(task);
}

function showPager({ totals, per_page: perPage }) {
  const pages = Math.ceil(totals[place.tab] / perPage);
  byId("pager").hidden = pages < 2 && place.page === 1;
  setText(byId("where"), `${place.page} of ${Math.max(1, pages)}`);
  for (const [id, page] of [["newer", place.page - 1], ["older", place.page + 1]]) {
    byId(id).href = `#/${place.tab}?page=${page}`;
    byId(id).classList.toggle("off", page < 1 || page > pages);
  }
}

/** One sentence for those who listen instead of looking. */
function tellNews(tasks) {
  const changed = tasks.filter(({ id, state }) => known.has(id) && known.get(id) !== state);
  const fresh = known.size ? tasks.filter(({ id }) => !known.has(id)) : [];
  known = new Map(tasks.map(({ id, state }) => [id, state]));
  if (changed.length + fresh.length > 3) setText(byId("news"), `${changed.length + fresh.length} tasks have moved.`);
  else if (changed.length + fresh.length) {
    const told = [...fresh, ...changed].map(({ prompt, state }) => `${state}: ${prompt.slice(0, 60)}`);
    setText(byId("news"), told.join(". "));
  }
}

function tick() {
  setText(byId("clock"), clockTime(wall()));
  byId("clock").title = wall().toLocaleString();
  setText(byId("speed"), speed() === 1 ? "" : `×${speed()}`);
  for (const item of byId("rows").children) item.tick?.(now());
  byId("closely").firstElementChild?.tick?.();
}

function welcome(key) {
  const url = location.origin;
  copyable(byId("environment"), [`export APIKLEY_API_KEY=${key}`, `export APIKLEY_BASE_URL=${url}`,
    `export APIKLEY_UPLOAD_URL=${url}/file-upload`].join("\n"));
  copyable(byId("first-kling"), 'kling generate picture.jpg "the beam sweeps across the bay" -o video.mp4');
  copyable(byId("first-curl"), ['curl "$APIKLEY_BASE_URL/api/v1/jobs/createTask" \\',
    '  -H "Authorization: Bearer $APIKLEY_API_KEY" -H "Content-Type: application/json" \\',
    `  -d '{"model": "kling-2.6/image-to-video", "input": {"prompt": "the cat yawns",`,
    `       "image_urls": ["https://example.com/cat.jpg"], "sound": false, "duration": "5"}}'`].join("\n"));
}

try {
  const options = await get("/page/options");
  prepare(options);
  welcome(options.api_key);
  addEventListener("hashchange", go);
  document.addEventListener("visibilitychange", go);
  setInterval(tick, 250);
  go();
} catch (problem) {
  complain(problem.message);
}
