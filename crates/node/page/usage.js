// What an app used, and what that would cost elsewhere.

import { meter } from "./chart.js";
import { card, fill, h, quiet } from "./dom.js";
import { count, dollars, percent, size, span } from "./text.js";

const WINDOWS = [["hour", 1], ["day", 24], ["week", 168], ["30 days", 720]];
const GB_SECOND = 2 ** 30 * 1e6;

function tile(name, value, note) {
  return h("div", { class: "tile" }, h("small", {}, name), h("strong", {}, value), h("small", { class: "note" }, note));
}

function gigabytes(text) {
  const value = Number(text) / GB_SECOND;
  return value === 0 ? "0" : value < 0.001 ? "<0.001" : value.toLocaleString("en", { maximumFractionDigits: 3 });
}

function costs(compare) {
  const most = Math.max(...compare.costs.map((cost) => Number(cost.total_usd)), 1e-12);
  return card("The same work elsewhere", {}, h("ul", { class: "costs" }, compare.costs.map((cost) => h("li", {}, h("span", {}, cost.provider),
    meter(Number(cost.total_usd) / most, "exec", `${cost.provider} ${dollars(cost.total_usd)}`),
    h("b", { class: "num", title: `requests ${dollars(cost.requests_usd)}, compute ${dollars(cost.compute_usd)}` }, dollars(cost.total_usd))))),
    h("p", { class: "quiet" }, `List prices of ${compare.read}, in US dollars. ${compare.note ?? ""}`));
}

function table(rows, total) {
  const all = total.billed.executed_us;
  const line = (row) => h("tr", {}, h("th", { scope: "row" }, row.component ?? "–"), h("td", {}, row.outcome ?? "–"), h("td", { class: "num" }, count(row.billed.requests + row.unbilled.requests)), h("td", { class: "num" }, span(row.billed.executed_us)),
    h("td", { class: "wide" }, meter(all ? row.billed.executed_us / all : 0, "exec", `${percent(row.billed.executed_us, all)} of the executed time`)),
    h("td", { class: "num" }, gigabytes(row.billed.memory_time_byte_us)), h("td", { class: "num" }, size(row.billed.bytes_out)), h("td", { class: "num" }, count(row.unbilled.requests)), h("td", { class: "num" }, count(row.rejections)));
  const heads = ["component", "outcome", "requests", "executed", "", "GB-seconds", "egress", "unbilled", "rejected"];
  return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, heads.map((text, at) => h("th", { scope: "col", class: at > 1 ? "num" : null }, text)))), h("tbody", {}, rows.map(line))));
}

/** The view. */
export function usage({ client, app, signal }) {
  const space = h("div", { class: "stack" });
  let hours = 24;
  const buttons = WINDOWS.map(([name, long]) => h("button", { type: "button", class: "small", click: () => { hours = long; show(); } }, name));
  const element = h("div", { class: "stack" }, h("div", { class: "bar" }, h("h2", {}, "Usage"), h("div", { class: "segments", role: "group", "aria-label": "Over how long" }, buttons)), space);
  const show = async () => {
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(WINDOWS[at][1] === hours)));
    const since = Math.floor((Date.now() - hours * 3600000) * 1000);
    try {
      const report = await client.get("/v1/usage", { tenant: app.tenant, app: app.app, since_us: since, by: "component,outcome", compare: true }, signal);
      const { billed, unbilled, rejections } = report.total;
      fill(space, h("div", { class: "tiles" }, tile("Requests", count(billed.requests), `${count(unbilled.requests)} unbilled, ${count(rejections)} rejected`), tile("Executed time", span(billed.executed_us), `${span(billed.requests ? billed.executed_us / billed.requests : 0)} each`),
        tile("GB-seconds", gigabytes(billed.memory_time_byte_us), "memory over time"), tile("Egress", size(billed.bytes_out), `${size(billed.bytes_in)} in`)),
        report.compare && costs(report.compare), card("By component and outcome", {}, report.rows.length ? table(report.rows, report.total) : quiet("Nothing in this time.")),
        h("p", { class: "quiet" }, report.as_of ? `As of ${report.as_of}. Sums are made every few seconds.` : "Nothing was summed yet."));
    } catch (problem) {
      if (problem.name !== "AbortError") fill(space, quiet(problem.status === 404 ? "This node does not tell usage here: cumulet usage does." : problem.message));
    }
  };
  show();
  return { element };
}
