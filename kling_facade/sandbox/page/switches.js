// What may be changed: the clock, the scenario, faults, credits, quirks.

import { byId, element, match, setText } from "./dom.js";
import { act } from "./live.js";

let abouts = new Map();

const named = ({ name }) => element("option", { value: name, textContent: name.replaceAll("_", " ") });

export function prepare(options) {
  abouts = new Map(options.scenarios.map(({ name, about }) => [name, about]));
  byId("scenario").append(...options.scenarios.map(named));
  byId("fault-operation").append(...options.operations.map((name) => named({ name })));
  byId("fault-name").append(...options.faults.map((name) => named({ name })));
  byId("quirks").append(...options.quirks.map(quirkSwitch));
  const dialog = byId("switches");
  byId("open-switches").addEventListener("click", () => dialog.showModal());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  byId("scenario").addEventListener("change", (event) => act("scenario", { name: event.target.value }));
  byId("quirks").addEventListener("change", useQuirks);
  byId("clear-faults").addEventListener("click", () => act("clear-faults"));
  onSubmit("advance", () => act("advance", { seconds: Number(byId("seconds").value) }));
  onSubmit("balance", () => act("credits", { credits: byId("balance-credits").valueAsNumber }));
  onSubmit("fault", addFault);
}

function onSubmit(id, work) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    work();
  });
}

function addFault() {
  const times = byId("fault-times").value;
  return act("fault", {
    operation: byId("fault-operation").value,
    fault: byId("fault-name").value,
    times: times === "" ? null : Number(times),
    accept: byId("fault-accept").checked,
  });
}

function quirkSwitch({ name, about }) {
  const box = element("input", { type: "checkbox", value: name });
  return element("label", { className: "check quirk" }, box,
    element("span", {}, element("span", { textContent: name.replaceAll("_", " ") }),
      element("span", { className: "muted", textContent: about })));
}

function useQuirks() {
  const boxes = [...byId("quirks").querySelectorAll("input:checked:not(:disabled)")];
  return act("quirks", { names: boxes.map((box) => box.value) });
}

export function showRules(rules, credits) {
  const { quirks, faults } = rules;
  const count = (number, word) => number ? ` · ${number} ${word}${number > 1 ? "s" : ""}` : "";
  setText(byId("rules"), rules.scenario.replaceAll("_", " ") + count(quirks.length, "quirk") + count(faults.length, "fault"));
  setText(byId("credits"), credits.toLocaleString());
  byId("balance-credits").placeholder = credits;
  if (![...abouts.keys()].includes(rules.scenario)) { // one that was made in Python
    abouts.set(rules.scenario, rules.about);
    byId("scenario").append(named({ name: rules.scenario }));
    byId("scenario").lastElementChild.disabled = true;
  }
  byId("scenario").value = rules.scenario;
  setText(byId("about-scenario"), rules.about);
  for (const box of byId("quirks").querySelectorAll("input")) {
    box.checked = quirks.includes(box.value);
    box.disabled = rules.scenario_quirks.includes(box.value);
  }
  byId("clear-faults").hidden = faults.length === 0;
  match(byId("faults"), faults.map((fault, id) => ({ ...fault, id })), () => element("li"), (node, fault) => {
    const left = fault.left === null ? "every" : `the next ${fault.left > 1 ? `${fault.left} ` : ""}`.trim();
    setText(node, `${left} ${fault.operation}: ${fault.name.replaceAll("_", " ")}${fault.accept ? ", and yet done" : ""}`);
  });
}
