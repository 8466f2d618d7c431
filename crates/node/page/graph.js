// What each component may reach, as a picture: component, capability, entry.

import { card, h, quiet, s } from "./dom.js";
import { cut, size } from "./text.js";
import { place } from "./client.js";

const ROW = 30;
const HEAD = 26;
/** Wide enough for most letters at the size of the labels. */
const LETTER = 7;

/** Grants by component and by capability, in order. */
function sorted(detail) {
  return detail.components.map((component) => {
    const kinds = new Map();
    for (const grant of component.grants) {
      if (!kinds.has(grant.capability)) kinds.set(grant.capability, []);
      kinds.get(grant.capability).push(grant.entry);
    }
    return { ...component, kinds: [...kinds] };
  });
}

function link(from, to, kind) {
  const middle = (from[0] + to[0]) / 2;
  return s("path", { class: `link k-${kind}`, d: `M${from[0]} ${from[1]}C${middle} ${from[1]} ${middle} ${to[1]} ${to[0]} ${to[1]}` });
}

function label(x, y, width, text, kind) {
  const shown = cut(text, Math.floor(width / LETTER));
  return s("text", { x, y: y + 4, class: kind }, shown, s("title", {}, text));
}

function box(x, y, width, text, kind) {
  return s("g", {}, s("rect", { class: `box ${kind}`, x, y: y - 12, width, height: 24, rx: 6 }), label(x + 10, y, width - 16, text, "name"));
}

/** The picture of one revision, for this width. */
export function picture(detail, width) {
  const narrow = width < 560;
  const columns = narrow ? [0, width * 0.31, width * 0.64] : [0, width * 0.34, width * 0.62];
  const widths = narrow ? [width * 0.25, width * 0.27, width * 0.36] : [Math.min(240, width * 0.26), Math.min(150, width * 0.2), width * 0.38];
  const nodes = [];
  const links = [];
  let y = HEAD + ROW / 2;
  for (const component of sorted(detail)) {
    const top = y;
    const places = [];
    for (const [capability, entries] of component.kinds) {
      const first = y;
      for (const entry of entries) {
        nodes.push(label(columns[2] + 6, y, widths[2] - 6, entry, "entry"), s("circle", { class: `dot k-${capability}`, cx: columns[2] - 2, cy: y, r: 3 }));
        y += ROW;
      }
      const middle = (first + y - ROW) / 2;
      entries.forEach((_, at) => links.push(link([columns[1] + widths[1], middle], [columns[2] - 5, first + at * ROW], capability)));
      nodes.push(box(columns[1], middle, widths[1], capability, `k-${capability}`));
      places.push([capability, middle]);
    }
    if (places.length === 0) {
      nodes.push(label(columns[1], y, width - columns[1], "nothing but its own memory", "none"));
      y += ROW;
    }
    const middle = (top + y - ROW) / 2;
    for (const [capability, at] of places) links.push(link([columns[0] + widths[0], middle], [columns[1], at], capability));
    nodes.push(box(columns[0], middle, widths[0], component.component, "component"));
    y += ROW * 0.6;
  }
  const heads = ["component", "may use", "of that"].map((text, at) => s("text", { class: "head", x: columns[at], y: 12 }, text));
  return s("svg", { class: "graph", width, height: y, viewBox: `0 0 ${width} ${y}`, role: "img", "aria-label": "Grants of each component" }, heads, links, nodes);
}

/** The same in words. */
function words(detail) {
  return h("details", {}, h("summary", {}, "The same as a list"), h("dl", { class: "grants" }, detail.components.flatMap((component) => [
    h("dt", {}, component.component),
    component.grants.length === 0 ? h("dd", {}, "nothing") : component.grants.map((grant) => h("dd", {}, h("b", {}, grant.capability), " ", grant.entry)),
  ])));
}

function limits(detail) {
  const row = (component) => h("tr", {}, h("th", { scope: "row" }, component.component), h("td", {}, size(component.bytes ?? 0)),
    ["memory", "cpu", "time", "concurrency"].map((key) => h("td", {}, component.limits?.[key] ?? "–")),
    h("td", { class: "mono", title: component.digest }, cut(String(component.digest ?? "").replace("sha256:", ""), 12)));
  return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ["component", "size", "memory", "cpu", "time", "at once", "digest"].map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, detail.components.map(row))));
}

/** The view of an app's grants. */
export function grants(context) {
  const { client, app, signal, traffic } = context;
  const picked = h("select", { id: "of" });
  const space = h("div", { class: "space" });
  const facts = h("div", {});
  const aside = h("label", { class: "field" }, "revision ", picked);
  const element = h("div", { class: "stack" }, card("Grants", { aside }, h("p", { class: "lead" }, "Everything else is denied."), space), facts);
  const said = h("div", {});
  element.firstElementChild.append(said);
  let detail = null;
  const draw = () => {
    if (detail) space.replaceChildren(picture(detail, Math.max(300, Math.floor(space.clientWidth))));
  };
  const show = async () => {
    try {
      detail = await client.get(place(app, `/revisions/${encodeURIComponent(picked.value)}`), {}, signal);
      draw();
      said.replaceChildren(words(detail));
      facts.replaceChildren(card("Limits", {}, limits(detail)), card("Routes", {}, h("ul", { class: "mono routes" }, (detail.routes ?? []).map((route) => h("li", {}, route)))));
    } catch (problem) {
      if (problem.name === "AbortError") return;
      detail = null;
      space.replaceChildren(quiet(problem.status === 404 ? "This node does not tell what a revision is granted." : problem.message));
      said.replaceChildren();
      facts.replaceChildren();
    }
  };
  picked.addEventListener("change", show);
  const watch = new ResizeObserver(draw);
  watch.observe(space);
  signal.addEventListener("abort", () => watch.disconnect());
  client.all(place(app, "/revisions"), 100, signal).then(({ items }) => {
    picked.replaceChildren(...items.map((item) => h("option", { value: item.revision }, item.percent ? `${item.revision} · ${item.percent}%` : item.revision)));
    picked.value = traffic()[0]?.revision ?? items[0]?.revision ?? "";
    return show();
  }).catch((problem) => problem.name === "AbortError" || space.replaceChildren(quiet(problem.message)));
  return { element };
}
