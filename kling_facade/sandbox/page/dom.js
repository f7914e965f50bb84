// Everything that came over the wire enters the page as text: there is no innerHTML here, and the
// Content-Security-Policy would refuse it.

export const byId = (id) => document.getElementById(id);

export function element(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** Writes only what is new, so that selections and screen readers are left in peace. */
export function setText(node, text) {
  if (node.textContent !== String(text)) node.textContent = text;
}

/** Makes the children of a node match the rows by id; nodes of rows that stay are kept. */
export function match(parent, rows, make, update = () => {}) {
  const before = new Map([...parent.children].map((node) => [node.dataset.id, node]));
  let next = parent.firstElementChild;
  for (const row of rows) {
    let node = before.get(String(row.id));
    before.delete(String(row.id));
    if (!node) {
      node = make(row);
      node.dataset.id = row.id;
    }
    update(node, row);
    if (node === next) next = next.nextElementSibling;
    else parent.insertBefore(node, next);
  }
  for (const node of before.values()) node.remove();
}

export function copyable(pre, text) {
  setText(pre, text);
  if (pre.nextElementSibling) return;
  const button = element("button", { type: "button", textContent: "Copy" });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(pre.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(pre);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  pre.after(button);
}

/** Terms and what they are; an empty value leaves its line out. */
export function facts(pairs) {
  const lines = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", { className: "facts" }, ...lines.map(([term, value]) =>
    element("div", {}, element("dt", { textContent: term }), element("dd", {}, String(value)))));
}
