// Requests as they end.

import { pause, place } from "./client.js";
import { card, fill, h, pill, quiet, s, say } from "./dom.js";
import { clock, cut, hue, span } from "./text.js";

const KEPT = 300;
const LISTED = 60;
const LOOK_S = 60;
const WIDTH = 600;
/** Where the scale is written. */
const MARGIN = 44;
const HEIGHT = 96;
const WAIT_S = 20;

/** How a request ended, for its colour. */
export function ending(record) {
  if (record.outcome && record.outcome !== "ok") return "bad";
  return record.status >= 500 ? "bad" : record.status >= 400 ? "warn" : "good";
}

/** Follows the log of an app: calls `take(items, page)` with each part. */
export async function follow({ client, app, signal, query, take }) {
  let page = await client.get(place(app, "/logs"), { ...query, last: true }, signal);
  for (;;) {
    take(page.items, page);
    if (!page.cursor) return;
    const asked = Date.now();
    // A browser has six connections to a node: a tab that nobody sees keeps none of them.
    if (document.hidden) await pause(5000, signal);
    const wait = document.hidden ? 0 : WAIT_S;
    page = await client.get(place(app, "/logs"), { ...query, after: page.cursor, wait_s: wait }, signal).catch(async (problem) => {
      if (problem.status && problem.status !== 503 && problem.status !== 429) throw problem;
      if (problem.name === "AbortError") throw problem;
      await pause(2000, signal);
      return { items: [], cursor: page.cursor };
    });
    // A node that does not wait is not asked without end.
    if (page.items.length === 0 && Date.now() - asked < 500) await pause(1500, signal);
  }
}

function row(record, app, names) {
  const kind = ending(record);
  const revision = names.of(record.revision);
  const href = `#/app/${encodeURIComponent(app.tenant)}/${encodeURIComponent(app.app)}/logs?request=${encodeURIComponent(record.request_id)}`;
  return h("li", { class: kind, title: record.detail ?? null },
    h("time", { datetime: record.time }, clock(record.started ?? record.time)),
    h("span", { class: `swatch ${hue(revision)}`, title: revision }),
    h("a", { class: "path", href, title: `${record.method ?? ""} ${record.path ?? ""} · its log` }, h("b", {}, record.method ?? ""), " ", cut(String(record.path ?? ""), 200)),
    pill(record.outcome && record.outcome !== "ok" ? record.outcome : String(record.status ?? "–"), kind),
    h("span", { class: "num" }, span(record.wall_us)), h("span", { class: "num dim", title: "executed" }, span(record.executed_us)));
}

/** The card. */
export function requests(context) {
  const { app, signal, live, names } = context;
  const dots = s("g", {});
  const lines = [1e2, 1e3, 1e4, 1e5, 1e6].map((us) => [us, HEIGHT - 6 - ((Math.log10(us) - 1.5) / 5) * (HEIGHT - 10)]);
  const svg = s("svg", { class: "dots", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": "Requests of the last minute by how long they took" },
    lines.map(([us, y]) => [s("line", { class: "grid", x1: 0, x2: WIDTH - MARGIN, y1: y, y2: y }), s("text", { class: "tick", x: WIDTH, y: y + 3, "text-anchor": "end" }, span(us))]), dots);
  const list = h("ol", { class: "requests", tabindex: 0, "aria-label": "Requests, the newest first" });
  const state = h("small", { class: "quiet" }, "…");
  let held = false;
  const hold = h("button", { type: "button", class: "small", "aria-pressed": "false", click: () => {
    held = !held;
    hold.setAttribute("aria-pressed", String(held));
    say(hold, held ? "Go on" : "Hold");
    if (!held) draw(true);
  } }, "Hold");
  const element = card("Live requests", { class: "live", aside: h("span", { class: "aside" }, state, hold) }, svg, list);
  const kept = [];

  const scatter = () => {
    const now = Math.max(Date.now(), kept.length ? kept[0].at : 0);
    fill(dots, kept.filter((record) => now - record.at < LOOK_S * 1000).map((record) => {
      const y = HEIGHT - 6 - ((Math.log10(Math.max(40, record.wall_us ?? 40)) - 1.5) / 5) * (HEIGHT - 10);
      return s("circle", { class: `dot ${ending(record)}`, cx: ((WIDTH - MARGIN) * (1 - (now - record.at) / (LOOK_S * 1000))).toFixed(1), cy: Math.max(4, y).toFixed(1), r: 3 });
    }));
  };
  const draw = (all) => {
    if (!held) scatter();
    if (!held && all) fill(list, kept.length ? kept.slice(0, LISTED).map((record) => (record.row ??= row(record, app, names))) : h("li", { class: "quiet none" }, "Requests show here as they end."));
  };
  const take = (items) => {
    const news = items.filter((item) => item.event === "invocation");
    for (const record of news) kept.unshift({ ...record, at: new Date(record.time).getTime() });
    kept.length = Math.min(kept.length, KEPT);
    say(state, "following");
    draw(true);
  };
  // The log has output beside invocations: enough of it for a first look at requests.
  follow({ ...context, query: { limit: 500 }, take }).catch((problem) => {
    if (problem.name === "AbortError") return;
    say(state, "");
    fill(list, h("li", { class: "none" }, quiet(problem.status === 404 ? "This node does not tell of single requests." : problem.message)));
  });
  live.addEventListener("sample", () => draw(false), { signal });
  return { element };
}
