// Revisions, which of them answer, and the way back.

import { place } from "./client.js";
import { shares } from "./chart.js";
import { card, complain, fill, h, pill, quiet, say, toast } from "./dom.js";
import { ago, hue, moment, person } from "./text.js";

/** How the trial of a revision stands. */
function trial(item) {
  const state = typeof item.trial === "string" ? item.trial : item.trial?.state ?? Object.keys(item.trial ?? {})[0];
  if (state === "open") return pill("on trial", "busy");
  if (state !== "taken-back") return null;
  const said = pill("taken back", "bad");
  said.title = item.trial.why ?? item.trial[state]?.why ?? "";
  return said;
}

/** The shares when one of them is set and the others give way in proportion; they add up to 100 in whole percent. */
export function balance(parts, chosen, value) {
  const rest = 100 - value;
  const others = [...parts.keys()].filter((name) => name !== chosen);
  const sum = others.reduce((all, name) => all + parts.get(name), 0);
  const exact = new Map(others.map((name, at) => [name, sum > 0 ? (parts.get(name) / sum) * rest : at === 0 ? rest : 0]));
  const next = new Map([...parts.keys()].map((name) => [name, name === chosen ? value : Math.floor(exact.get(name))]));
  let left = 100 - [...next.values()].reduce((all, share) => all + share, 0);
  const first = others.sort((one, other) => (exact.get(other) % 1) - (exact.get(one) % 1));
  for (const name of first) {
    if (left <= 0) break;
    if (sum > 0 && parts.get(name) === 0) continue;
    next.set(name, next.get(name) + 1);
    left -= 1;
  }
  if (left > 0) next.set(chosen, next.get(chosen) + left);
  return next;
}

/** How long ago, to be said anew. */
function when(at) {
  return h("span", { class: "when", "data-at": at }, ago(at));
}

/** In the order of the list of revisions. */
function newest(arms) {
  const number = (arm) => Number.parseInt(arm.revision.slice(1), 10) || 0;
  return [...arms].sort((one, other) => number(other) - number(one));
}

function words(view) {
  return view.traffic.map((arm) => `${arm.revision} ${arm.percent}%`).join(", ");
}

/** The card. `changed` is told of the app as it is after a change. */
export function traffic({ client, app, may, signal, changed, names }) {
  const bar = h("div", { class: "traffic-bar" });
  const list = h("ol", { class: "revisions" });
  const rules = h("p", { class: "quiet" });
  const foot = h("div", { class: "actions" });
  let view = null;
  let revisions = null;
  let edit = null;
  let busy = false;

  const act = async (what, undo) => {
    if (busy) return;
    busy = true;
    draw();
    try {
      const after = await what();
      edit = null;
      view = after;
      const share = new Map(after.traffic.map((arm) => [arm.revision, arm.percent]));
      revisions = revisions.map((item) => ({ ...item, percent: share.get(item.revision) ?? 0 }));
      changed(after);
      draw();
      toast(`Traffic of ${app.app}: ${words(after)}`, undo ? { action: "Undo", run: () => act(back(after.generation)) } : {});
      await read();
    } catch (problem) {
      complain(problem);
      if (problem.kind === "generation") client.get(place(app), {}, signal).then(changed).catch(() => {});
    } finally {
      busy = false;
      draw();
    }
  };
  const back = (generation, revision) => () => client.post(place(app, "/rollback"), { expected_generation: generation, ...(revision ? { revision } : {}) });
  const apply = () => {
    const parts = [...edit].filter(([, share]) => share > 0).map(([revision, share]) => ({ revision, percent: share }));
    const body = { traffic: parts, headers: view.headers ?? [], expected_generation: view.generation };
    if (view.sticky) body.sticky = view.sticky;
    act(() => client.put(place(app, "/traffic"), body), true);
  };

  const rollback = h("button", { type: "button", class: "primary", click: () => act(back(view.generation), true) }, "Roll back");
  const split = h("button", { type: "button", click: () => { edit = new Map(revisions.map((item) => [item.revision, item.percent])); draw(); list.querySelector("input")?.focus(); } }, "Split…");

  const editor = (item) => {
    const range = h("input", { type: "range", min: 0, max: 100, value: edit.get(item.revision), "aria-label": `Share of ${item.revision} in percent` });
    const number = h("input", { type: "number", min: 0, max: 100, value: edit.get(item.revision), "aria-label": `Share of ${item.revision}, as a number` });
    const set = (from) => () => {
      const value = Math.min(100, Math.max(0, Math.round(Number(from.value) || 0)));
      edit = balance(edit, item.revision, value);
      for (const row of list.children) {
        const share = edit.get(row.dataset.revision) ?? 0;
        for (const field of row.querySelectorAll("input")) if (field !== from) field.value = share;
      }
      paint();
    };
    range.addEventListener("input", set(range));
    number.addEventListener("input", set(number));
    return h("span", { class: "edit" }, range, h("label", { class: "percent" }, number, "%"));
  };
  const entry = (item) => {
    const takes = h("button", { type: "button", class: "small", "aria-label": `Send all traffic to ${item.revision}`, disabled: busy, click: () => act(back(view.generation, item.revision), true) }, "All here");
    return h("li", { "data-revision": item.revision, class: item.percent ? "on" : "" },
      h("span", { class: `swatch ${hue(item.revision)}`, "aria-hidden": "true" }),
      h("span", { class: "what" }, h("b", {}, item.revision), item.version && pill(item.version), trial(item), item.note && h("q", {}, item.note),
        h("small", { title: `${moment(item.at_us)} ${item.by ?? ""}` }, when(item.at_us), item.by ? ` by ${person(item.by)}` : "")),
      edit ? editor(item) : [h("strong", { class: "share" }, item.percent ? `${item.percent}%` : ""), may && item.percent !== 100 && takes]);
  };
  const paint = () => {
    const parts = edit ? [...edit].filter(([, share]) => share > 0).map(([name, share]) => ({ name, kind: hue(name), share }))
      : newest(view.traffic).map((arm) => ({ name: arm.revision, kind: hue(arm.revision), share: arm.percent }));
    fill(bar, shares(parts, `Traffic: ${parts.map((part) => `${part.name} ${part.share}%`).join(", ")}`));
  };
  const draw = () => {
    if (!view) return;
    paint();
    rollback.disabled = split.disabled = busy;
    const many = (revisions?.length ?? 0) > 1;
    fill(list, revisions?.map(entry) ?? []);
    const said = [...(view.headers ?? []).map((rule) => `${rule.name}: ${rule.value} goes to ${rule.revision}`), ...(view.sticky ? [`clients stay by the cookie ${view.sticky}`] : [])];
    fill(rules, said.join("; "));
    fill(foot, edit ? [h("button", { type: "button", class: "primary", disabled: busy, click: apply }, "Apply"), h("button", { type: "button", click: () => { edit = null; draw(); split.focus(); } }, "Cancel")]
      : may && many ? [rollback, split] : revisions && !may ? [quiet("This token sees, and changes nothing.")] : []);
  };
  const read = async () => {
    try {
      revisions = (await client.all(place(app, "/revisions"), 100, signal)).items;
      names.learn(revisions);
      if (!edit) draw();
    } catch (problem) {
      if (problem.name !== "AbortError") complain(problem);
    }
  };
  const element = card("Revisions and traffic", { class: "traffic" }, bar, list, rules, foot);
  /** A later state of the app, unless somebody is editing. */
  const show = (next) => {
    const before = view?.generation;
    view = edit && view ? { ...view } : next;
    if (before !== next.generation && !edit && !busy) read();
    else if (before === undefined) draw();
    // The rest stays as it is: somebody may be about to press it.
    for (const said of list.querySelectorAll(".when")) say(said, ago(Number(said.dataset.at)));
  };
  return { element, show, traffic: () => view?.traffic ?? [] };
}
