// Elements made by hand. What apps and clients wrote becomes text nodes and attributes, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element of HTML: attributes by name, listeners where the value is a function, children or text. */
export function h(tag, attributes, ...children) {
  return build(document.createElement(tag), attributes, children);
}

/** An element of SVG. */
export function s(tag, attributes, ...children) {
  return build(document.createElementNS(SVG, tag), attributes, children);
}

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Sets text only where it differs, so that a selection stays. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Replaces children. */
export function fill(node, ...children) {
  node.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
}

/** A link to elsewhere, if it is one that a browser may follow from here. */
export function away(url, ...children) {
  const known = /^https?:\/\//.test(url);
  return known ? h("a", { href: url, rel: "noreferrer noopener", target: "_blank" }, ...children) : h("span", {}, ...children);
}

/** A card with a heading. */
export function card(title, attributes, ...children) {
  const { aside, ...rest } = attributes ?? {};
  const head = h("header", {}, h("h2", {}, title), aside);
  return h("section", { ...rest, class: `card ${rest.class ?? ""}`, "aria-label": title }, head, ...children);
}

/** A quiet line where there is nothing to show. */
export function quiet(text) {
  return h("p", { class: "quiet" }, text);
}

/** A small mark with a colour of its own. */
export function pill(text, kind) {
  return h("span", { class: `pill ${kind ?? ""}` }, text);
}

/** A message that goes by itself, with something to do about it. */
export function toast(text, { kind, action, run } = {}) {
  const box = document.getElementById("toasts");
  const close = () => item.remove();
  const item = h("div", { class: `toast ${kind ?? ""}` }, h("span", {}, text),
    action && h("button", { type: "button", click: () => { close(); run(); } }, action),
    h("button", { type: "button", class: "plain", "aria-label": "Dismiss", click: close }, "✕"));
  while (box.children.length > 2) box.firstElementChild.remove();
  box.append(item);
  setTimeout(close, kind === "bad" ? 20000 : 10000);
}

/** Says what went wrong. */
export function complain(problem) {
  if (problem.name === "AbortError" || problem.status === 401) return;
  toast(problem.next ? `${problem.message}: ${problem.next}` : problem.message, { kind: "bad" });
}
