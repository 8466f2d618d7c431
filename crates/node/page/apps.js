// All apps, at a glance.

import { place, pause } from "./client.js";
import { meter, shares, sparkline } from "./chart.js";
import { fill, h, quiet, say } from "./dom.js";
import { count, hue, percent, size, small, span } from "./text.js";

const APPS_MAX = 1000;
const SHOWN_MAX = 200;
/** Tenants whose apps are listed together; of more, one is chosen by name. */
const TENANTS_MAX = 50;

const COLUMNS = [
  { key: "app", name: "App", value: (row) => row.id, up: true },
  { key: "rate", name: "Requests/s", value: (row) => row.recent?.rate ?? 0 },
  { key: "p99", name: "p99", value: (row) => row.recent?.p99 ?? row.last ?? 0 },
  { key: "executed", name: "Executed", value: (row) => row.total?.executed_us ?? 0 },
  { key: "errors", name: "Errors", value: (row) => row.total?.errors ?? 0 },
];

/** Keeps one row in place while its numbers change. */
class Row {
  constructor(view) {
    this.id = `${view.tenant}/${view.app}`;
    this.spark = sparkline(`Requests of ${this.id}, the last minutes`);
    this.cells = Object.fromEntries(["rate", "p99", "executed", "errors"].map((key) => [key, h("td", { class: `num ${key}`, "data-name": COLUMNS.find((column) => column.key === key).name })]));
    this.split = h("span", { class: "split" });
    const href = `#/app/${encodeURIComponent(view.tenant)}/${encodeURIComponent(view.app)}`;
    this.element = h("tr", {}, h("th", { scope: "row" }, h("a", { href }, h("span", { class: "tenant" }, `${view.tenant}/`), view.app), this.split),
      h("td", { class: "course" }, this.spark.element), Object.values(this.cells));
    this.show(view);
  }

  show(view) {
    const arms = view.traffic ?? [];
    const text = arms.map((arm) => `${arm.revision} ${arm.percent}%`).join(", ");
    if (text === this.text) return;
    this.text = text;
    fill(this.split, arms.length > 1 ? shares(arms.map((arm) => ({ name: arm.revision, kind: hue(arm.revision), share: arm.percent })), `Traffic: ${text}`) : null, h("small", {}, text));
  }

  measure(live) {
    this.total = live.total(this.id);
    this.recent = live.recent(this.id);
    const points = live.points(this.id);
    this.last = points.findLast?.((point) => point.p99 !== null)?.p99 ?? null;
    const { total, recent, cells } = this;
    this.element.classList.toggle("asleep", !recent?.requests);
    say(cells.rate, recent ? small(recent.rate) : "–");
    say(cells.p99, span(recent?.p99 ?? this.last));
    say(cells.executed, total ? span(total.executed_us) : "–");
    say(cells.errors, total?.errors ? `${count(total.errors)} · ${percent(total.errors, total.requests)}` : "0");
    cells.errors.classList.toggle("bad", Boolean(recent?.errors));
    this.spark.draw(points, live);
  }
}

function tile(name, value, note, bar) {
  return h("div", { class: "tile" }, h("small", {}, name), h("strong", {}, value), h("small", { class: "note" }, note), bar);
}

function machine(node) {
  if (!node) return [];
  const used = node.slots ? node.slots_in_use / node.slots : 0;
  return [
    tile("Instances now", count(node.slots_in_use), `of ${count(node.slots)} slots${node.slots_waiting ? `, ${count(node.slots_waiting)} wait` : ""}`, meter(used, "req", "Slots in use")),
    tile("Apps awake", count(node.loaded_apps), `${size(node.loaded_bytes)} of code`),
    tile("Memory", size(node.memory_bytes), "of the process"),
    tile("Cold starts", count(node.cold_starts), node.cold_start_failures ? `${count(node.cold_start_failures)} failed` : "none failed"),
  ];
}

/** The view. */
export function apps({ client, live, tenants, signal }) {
  const rows = new Map();
  let order = { key: "executed", up: false };
  let looked = false;
  const search = h("input", { type: "search", placeholder: "Find an app", "aria-label": "Find an app", input: () => arrange(true) });
  const tiles = h("div", { class: "tiles" });
  const body = h("tbody", {});
  const note = h("p", { class: "quiet", role: "status" });
  const heads = COLUMNS.map((column) => h("th", { scope: "col", class: column.key === "app" ? "" : "num" }, h("button", { type: "button", class: "sort", click: () => {
    order = { key: column.key, up: order.key === column.key ? !order.up : Boolean(column.up) };
    arrange(true);
  } }, column.name)));
  heads.splice(1, 0, h("th", { scope: "col", class: "course" }, "Lately"));
  const table = h("table", { class: "apps" }, h("thead", {}, h("tr", {}, heads)), body);
  const element = h("div", { class: "stack" }, h("div", { class: "bar" }, h("h1", {}, "Apps"), search), tiles, h("section", { class: "card flush", "aria-label": "Apps" }, table, note));

  const arrange = (asked) => {
    const column = COLUMNS.find((one) => one.key === order.key);
    [...table.tHead.rows[0].cells].forEach((cell) => {
      const mine = cell.textContent === column.name;
      cell.setAttribute("aria-sort", mine ? (order.up ? "ascending" : "descending") : "none");
    });
    // Rows that somebody is about to choose stay where they are.
    if (!asked && body.children.length > 0 && table.matches(":hover, :focus-within")) return;
    const text = search.value.trim().toLowerCase();
    const found = [...rows.values()].filter((row) => row.id.includes(text));
    found.sort((one, other) => {
      const [a, b] = [column.value(one), column.value(other)];
      const by = a < b ? -1 : a > b ? 1 : 0;
      return by ? (order.up ? by : -by) : one.id < other.id ? -1 : 1;
    });
    const shown = found.slice(0, SHOWN_MAX).map((row) => row.element);
    if (shown.length !== body.children.length || shown.some((row, at) => row !== body.children[at])) fill(body, shown);
    const rest = found.length - shown.length;
    say(note, rest > 0 ? `${count(rest)} more: find them by name.` : found.length === 0 ? (rows.size ? "No app has this in its name." : looked ? "Nothing is deployed here yet: cumulet deploy" : "Looking…") : "");
    table.hidden = found.length === 0 && rows.size === 0;
  };
  const measure = () => {
    for (const app of live.apps) if (!rows.has(`${app.tenant}/${app.app}`)) rows.set(`${app.tenant}/${app.app}`, new Row(app));
    fill(tiles, live.state === "absent" ? quiet("This node does not count what happens now.") : machine(live.node));
    for (const row of rows.values()) row.measure(live);
    arrange();
  };
  const read = async () => {
    for (;;) {
      for (const tenant of tenants().slice(0, TENANTS_MAX)) {
        const list = await client.all(place({ tenant, app: "" }).slice(0, -1), APPS_MAX, signal).catch((problem) => {
          if (problem.name === "AbortError" || problem.status === 401) throw problem;
          return { items: [] };
        });
        for (const view of list.items) {
          const id = `${view.tenant}/${view.app}`;
          if (rows.has(id)) rows.get(id).show(view);
          else rows.set(id, new Row(view));
        }
      }
      looked = true;
      measure();
      await pause(10000, signal);
    }
  };
  live.addEventListener("sample", measure, { signal });
  read().catch(() => {});
  measure();
  return { element, title: "Apps" };
}
