// Deploys and their phases.

import { pause, place } from "./client.js";
import { card, complain, fill, h, pill, quiet, s } from "./dom.js";
import { ago, hue, moment, person, span } from "./text.js";

const PHASES = ["received", "compiled", "linked", "probed", "live"];

/** The time between phases as a bar: how long each took until it was reached. */
function course(deploy) {
  const steps = deploy.phases.slice(1).map((phase, at) => ({ phase: phase.phase, us: phase.at_us - deploy.phases[at].at_us }));
  const all = Math.max(1, steps.reduce((sum, step) => sum + step.us, 0));
  // What took next to nothing is still seen.
  const weight = (step) => Math.max(0.015, step.us / all);
  const weights = steps.reduce((sum, step) => sum + weight(step), 0);
  let x = 0;
  const bar = s("svg", { class: "shares course", viewBox: "0 0 100 8", preserveAspectRatio: "none", role: "img", "aria-label": steps.map((step) => `${step.phase} ${span(step.us)}`).join(", ") }, steps.map((step) => {
    const width = (weight(step) / weights) * 100;
    const rect = s("rect", { class: `p-${step.phase}`, x, y: 0, width: Math.max(0.5, width - 0.3), height: 8 }, s("title", {}, `${step.phase} ${span(step.us)}`));
    x += width;
    return rect;
  }));
  return [bar, h("ol", { class: "phases" }, PHASES.slice(1).map((name) => {
    const step = steps.find((one) => one.phase === name);
    return h("li", { class: step ? `p-${name}` : "none" }, name, " ", h("b", {}, step ? span(step.us) : "–"));
  }))];
}

function entry(deploy) {
  const began = deploy.phases[0]?.at_us ?? 0;
  const ended = deploy.phases.at(-1)?.at_us ?? began;
  const kind = deploy.phase === "live" ? "good" : deploy.phase === "failed" ? "bad" : "busy";
  return h("li", {}, h("div", { class: "head" }, h("span", { class: `swatch ${hue(deploy.revision)}` }), h("b", {}, deploy.revision), pill(deploy.phase, kind), h("span", { class: "num" }, span(ended - began)),
    h("small", { title: `${moment(began)} ${deploy.by}` }, `${ago(began)} by ${person(deploy.by)}`)), course(deploy),
    deploy.failure && h("p", { class: "wrong" }, `not ${deploy.failure.phase}: ${deploy.failure.message}`, h("br", {}), h("small", {}, deploy.failure.next)));
}

/** The view. */
export function deploys({ client, app, signal }) {
  const list = h("ol", { class: "deploys" });
  const element = card("Deploys", {}, list);
  const run = async () => {
    for (;;) {
      const { items } = await client.get(place(app, "/deploys"), { limit: 50 }, signal);
      fill(list, items.length ? items.map(entry) : quiet("No deploy is kept."));
      await pause(items.some((item) => item.phase !== "live" && item.phase !== "failed") ? 1000 : 10000, signal);
    }
  };
  run().catch(complain);
  return { element };
}
