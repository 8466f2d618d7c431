// One app.

import { pause, place } from "./client.js";
import { chart } from "./chart.js";
import { away, complain, fill, h, quiet } from "./dom.js";
import { deploys } from "./deploys.js";
import { grants } from "./graph.js";
import { logs } from "./logs.js";
import { requests } from "./requests.js";
import { Names, percent, small, span } from "./text.js";
import { traffic } from "./traffic.js";
import { usage } from "./usage.js";

const TABS = [["", "Overview"], ["logs", "Logs"], ["usage", "Usage"], ["grants", "Grants"], ["deploys", "Deploys"]];

function charts({ live, signal, app }) {
  const id = `${app.tenant}/${app.app}`;
  const all = [
    chart({ title: "Requests", unit: "per second", figure: (now) => (now ? small(now.rate) : "–"), format: small, series: [
      { name: "all", kind: "req", value: (point) => point.rate, area: true }, { name: "errors", kind: "bad", value: (point) => point.errorRate }] }),
    chart({ title: "Latency", unit: "p99", figure: (now) => span(now?.p99), format: span, series: [
      { name: "p99", kind: "lat", value: (point) => point.p99, area: true }, { name: "p50", kind: "mid", value: (point) => point.p50 }] }),
    chart({ title: "Executed time", unit: "per second", figure: (now) => (now ? span(now.executed * 1000) : "–"), format: (value) => span(value * 1000), series: [
      { name: "executed", kind: "exec", value: (point) => point.executed, area: true }] }),
  ];
  const since = h("p", { class: "quiet since" });
  const draw = () => {
    const total = live.total(id);
    all.forEach((one) => one.draw(live, id));
    fill(since, live.state === "absent" ? "This node does not count what happens now." : total
      ? `Since the node started: ${total.requests.toLocaleString("en")} requests, ${percent(total.errors, total.requests)} errors, ${span(total.executed_us)} executed; cold starts: ${total.cold_starts ?? 0}.` : "No request since the node started.");
  };
  live.addEventListener("sample", draw, { signal });
  draw();
  return [h("div", { class: "charts" }, all.map((one) => one.element)), since];
}

/** The view: `part` is one of the tabs. */
export function app(context) {
  const { client, app: id, part, signal, who } = context;
  const urls = h("p", { class: "urls" });
  const base = `#/app/${encodeURIComponent(id.tenant)}/${encodeURIComponent(id.app)}`;
  const tabs = h("nav", { class: "tabs", "aria-label": "About this app" }, TABS.map(([key, name]) => h("a", { href: key ? `${base}/${key}` : base, "aria-current": key === part ? "page" : null }, name)));
  const body = h("div", { class: "stack" });
  const element = h("div", { class: "stack" }, h("div", { class: "title" }, h("h1", {}, h("a", { href: "#/", class: "tenant" }, `${id.tenant}/`), id.app), urls), tabs, body);

  let view = null;
  const names = new Names();
  const may = who.scope !== "read";
  const show = (next) => {
    view = next;
    fill(urls, next.urls.map((url) => away(url, url.replace(/^https?:\/\//, "").replace(/\/$/, ""))));
    ways?.show(next);
  };
  const ways = part === "" ? traffic({ client, app: id, may, signal, changed: show, names }) : null;
  const rest = { ...context, app: id, names, traffic: () => view?.traffic ?? [] };
  const begin = () => {
    tabs.querySelector("[aria-current]").scrollIntoView({ block: "nearest", inline: "nearest" });
    if (part === "") fill(body, charts(rest), h("div", { class: "pair" }, ways.element, requests(rest).element));
    else fill(body, { logs, usage, grants, deploys }[part](rest).element);
  };
  const run = async () => {
    show(await client.get(place(id), {}, signal));
    if (part === "" || part === "logs") names.learn((await client.all(place(id, "/revisions"), 100, signal)).items);
    begin();
    ways?.show(view);
    for (;;) {
      await pause(5000, signal);
      show(await client.get(place(id), {}, signal));
    }
  };
  run().catch((problem) => {
    if (problem.status === 404) fill(body, quiet("There is no such app, or it is not this token's."));
    else complain(problem);
  });
  return { element, title: id.app };
}
