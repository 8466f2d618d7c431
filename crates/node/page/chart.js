// Charts of the last minutes, drawn by hand.

import { fill, h, s, say } from "./dom.js";

const WIDTH = 600;
const HEIGHT = 132;
const TOP = 10;
let names = 0;

/** A round number above the highest value. */
function ceiling(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 5, 7.5, 10].map((step) => step * power).find((step) => step >= value * 1.02) ?? 10 * power;
}

function path(places) {
  return places.map(([x, y], at) => `${at === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

/** Parts of a line that belong together: where there is no value, there is no line. */
function runs(points, value) {
  const all = [];
  let run = [];
  for (const point of points) {
    if (value(point) === null) {
      if (run.length) all.push(run);
      run = [];
    } else run.push(point);
  }
  if (run.length) all.push(run);
  return all;
}

/**
 * A card with a figure and its course. `series`: `{ name, kind, value(point), area }`; `figure(point)` says the large
 * number, `format` an axis.
 */
export function chart({ title, series, figure, format, unit }) {
  const id = `fade${(names += 1)}`;
  const marks = s("g", {});
  const cross = s("line", { class: "cross", y1: 0, y2: HEIGHT, visibility: "hidden" });
  const svg = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": title },
    s("defs", {}, series.map((one, at) => s("linearGradient", { id: `${id}-${at}`, x1: 0, y1: 0, x2: 0, y2: 1 },
      s("stop", { offset: "0", class: `stop ${one.kind}`, "stop-opacity": 0.28 }), s("stop", { offset: "1", class: `stop ${one.kind}`, "stop-opacity": 0.02 })))),
    [0.5, 1].map((part) => s("line", { class: "grid", x1: 0, x2: WIDTH, y1: HEIGHT - part * (HEIGHT - TOP), y2: HEIGHT - part * (HEIGHT - TOP) })),
    s("line", { class: "grid base", x1: 0, x2: WIDTH, y1: HEIGHT - 0.5, y2: HEIGHT - 0.5 }), marks, cross);
  const large = h("strong", { class: "figure" }, "–");
  const high = h("span", { class: "high" });
  const values = series.map(() => h("span", { class: "value" }));
  const legend = h("p", { class: "legend" }, series.map((one, at) => h("span", { class: `key ${one.kind}` }, one.name, " ", values[at])));
  const from = h("span", {});
  const when = h("span", {}, "now");
  const element = h("section", { class: "card chart", "aria-label": title },
    h("header", {}, h("h2", {}, title), h("p", { class: "now" }, large, h("small", {}, unit))),
    h("div", { class: "plot" }, high, svg), h("p", { class: "axis" }, from, when), legend);

  let shown = [];
  let now = 0;
  let long = 60;
  let held = null;
  const x = (point) => WIDTH * (1 - (now - point.at) / (long * 1e6));
  const label = (point) => {
    series.forEach((one, at) => { const value = point && one.value(point); say(values[at], value === null || value === undefined ? "–" : format(value)); });
    const seconds = point ? Math.round((now - point.at) / 1e6) : 0;
    say(when, held === null ? "now" : `${seconds} s ago`);
  };
  const hold = (event) => {
    const box = svg.getBoundingClientRect();
    held = ((event.clientX - box.left) / box.width) * WIDTH;
    show();
  };
  svg.addEventListener("pointermove", hold);
  svg.addEventListener("pointerleave", () => { held = null; show(); });
  const show = () => {
    const near = held === null ? shown.at(-1) : shown.reduce((best, point) => (!best || Math.abs(x(point) - held) < Math.abs(x(best) - held) ? point : best), null);
    cross.setAttribute("visibility", held === null || !near ? "hidden" : "visible");
    if (near) { cross.setAttribute("x1", x(near)); cross.setAttribute("x2", x(near)); }
    label(near);
  };
  const draw = (live, app) => {
    [now, long] = [live.now, live.window];
    say(from, `${long / 60} min ago`);
    shown = live.points(app).filter((point) => x(point) >= -WIDTH / 50);
    const most = ceiling(Math.max(0, ...shown.flatMap((point) => series.map((one) => one.value(point) ?? 0))));
    const y = (value) => HEIGHT - (value / most) * (HEIGHT - TOP);
    say(high, shown.some((point) => series.some((one) => one.value(point))) ? format(most) : "");
    say(large, figure(live.recent(app)));
    // Errors are seen when there are some.
    const drawn = (one) => one.kind !== "bad" || shown.some((point) => one.value(point) > 0);
    fill(marks, series.flatMap((one, place) => !drawn(one) ? [] : runs(shown, one.value).flatMap((run) => {
      const line = run.map((point) => [x(point), y(one.value(point))]);
      if (line.length === 1) line.unshift([line[0][0] - 2, line[0][1]]);
      const under = `${path(line)}L${line.at(-1)[0].toFixed(1)} ${HEIGHT}L${line[0][0].toFixed(1)} ${HEIGHT}Z`;
      return [one.area && s("path", { d: under, fill: `url(#${id}-${place})` }), s("path", { d: path(line), class: `line ${one.kind}` })];
    })).filter(Boolean));
    show();
  };
  return { element, draw };
}

/** A line without words, for a row of a list. */
export function sparkline(name) {
  const line = s("path", { class: "line req" });
  const area = s("path", { class: "under" });
  const errors = s("path", { class: "line bad" });
  const svg = s("svg", { class: "spark", viewBox: "0 0 120 28", preserveAspectRatio: "none", role: "img", "aria-label": name }, area, line, errors);
  const draw = (points, { now, window: long }) => {
    const x = (point) => 120 * (1 - (now - point.at) / (long * 1e6));
    const shown = points.filter((point) => x(point) >= -4);
    const most = Math.max(0.2, ...shown.map((point) => point.rate));
    const place = (key) => shown.map((point) => [x(point), 26 - (point[key] / most) * 24]);
    const drawn = place("rate");
    line.setAttribute("d", path(drawn));
    area.setAttribute("d", drawn.length ? `${path(drawn)}L${drawn.at(-1)[0].toFixed(1)} 28L${drawn[0][0].toFixed(1)} 28Z` : "");
    errors.setAttribute("d", shown.some((point) => point.errors > 0) ? path(place("errorRate")) : "");
  };
  return { element: svg, draw };
}

/** A bar of shares: `[{ name, kind, share }]`, shares of 100. */
export function shares(parts, label) {
  let at = 0;
  return s("svg", { class: "shares", viewBox: "0 0 100 8", preserveAspectRatio: "none", role: "img", "aria-label": label },
    parts.map((part) => {
      const rect = s("rect", { class: part.kind, x: at + 0.15, y: 0, width: Math.max(0, part.share - 0.3), height: 8 }, s("title", {}, `${part.name} ${part.share}%`));
      at += part.share;
      return rect;
    }));
}

/** A bar that is filled so far, of 1. */
export function meter(part, kind, label) {
  const width = Math.min(1, Math.max(0, part)) * 100;
  return s("svg", { class: "meter", viewBox: "0 0 100 4", preserveAspectRatio: "none", role: "img", "aria-label": label },
    s("rect", { class: "track", width: 100, height: 4 }), s("rect", { class: kind, width: width > 0 ? Math.max(width, 0.6) : 0, height: 4 }));
}
