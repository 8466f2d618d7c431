// What an app said, and what became of its requests.

import { place } from "./client.js";
import { card, complain, fill, h, pill, quiet, say } from "./dom.js";
import { ending, follow } from "./requests.js";
import { clock, hue, moment, span } from "./text.js";

const FIRST = 300;
const KEPT = 3000;
const OUTCOMES = ["ok", "trap", "no-response", "cpu-limit", "deadline", "memory-limit", "host-limit", "instance-lost", "client-gone", "quota", "concurrency", "shed", "too-large", "host-error"];

function line(record, context) {
  const revision = context.names.of(record.revision);
  const only = (key, value, text) => h("button", { type: "button", class: "link", title: `Only ${key} ${value}`, click: () => context.only(key, value) }, text);
  const time = h("time", { datetime: record.time, title: record.time ? moment(new Date(record.time).getTime() * 1000) : "" }, clock(record.time));
  if (record.event === "output") {
    return h("li", { class: `output ${record.stream ?? ""}` }, time, h("span", { class: `swatch ${hue(revision)}`, title: revision }),
      record.component && only("component", record.component, record.component), h("span", { class: "text" }, record.text ?? ""));
  }
  if (record.event === "dropped") return h("li", { class: "dropped" }, time, h("span", { class: "text" }, `${record.pieces ?? "some"} pieces were dropped: more came than this app's share of the log takes.`));
  const kind = ending(record);
  return h("li", { class: `invocation ${kind}` }, time, h("span", { class: `swatch ${hue(revision)}`, title: revision }),
    record.request_id && only("request", record.request_id, record.request_id.slice(-8)),
    h("span", { class: "text" }, `${record.method ?? ""} ${record.path ?? ""} `, pill(record.outcome && record.outcome !== "ok" ? record.outcome : String(record.status ?? ""), kind),
      ` ${span(record.wall_us)}, executed ${span(record.executed_us)}`, record.detail && h("span", { class: "detail" }, record.detail)));
}

/** The view. */
export function logs(context) {
  const { client, app, signal, query, names } = context;
  const list = h("ol", { class: "log", tabindex: 0, "aria-label": "The log, the newest last" });
  const text = h("input", { type: "search", id: "text", placeholder: "in the text", input: () => sift() });
  const request = h("input", { type: "search", id: "request", placeholder: "id", value: query.get("request") ?? "", change: () => begin() });
  const component = h("input", { type: "search", id: "component", placeholder: "any", value: query.get("component") ?? "", change: () => begin() });
  const outcome = h("select", { id: "outcome", change: () => begin() }, h("option", { value: "" }, "any"), OUTCOMES.map((name) => h("option", {}, name)));
  const following = h("input", { type: "checkbox", id: "follow", checked: true, change: () => (following.checked ? begin() : running?.abort()) });
  const state = h("p", { class: "quiet", role: "status" });
  const earlier = h("button", { type: "button", class: "small", click: () => older() }, "Earlier");
  const field = (name, input) => h("label", { class: "field" }, `${name} `, input);
  const form = h("form", { class: "filter", submit: (event) => { event.preventDefault(); begin(); } }, field("find", text), field("request", request), field("component", component), field("outcome", outcome),
    h("label", { class: "field check" }, following, " follow"));
  const element = card("Logs", { class: "logs", aside: earlier }, form, state, list);
  let records = [];
  let running = null;
  signal.addEventListener("abort", () => running?.abort());

  const asked = () => ({ request: request.value.trim(), component: component.value.trim(), outcome: outcome.value, limit: FIRST });
  const only = (key, value) => {
    ({ request, component })[key].value = value;
    begin();
  };
  const fits = (record) => {
    const wanted = text.value.trim().toLowerCase();
    return !wanted || `${record.text ?? ""} ${record.path ?? ""} ${record.detail ?? ""}`.toLowerCase().includes(wanted);
  };
  const add = (record) => {
    record.line ??= line(record, { only, names });
    record.line.hidden = !fits(record);
    return record.line;
  };
  const sift = () => {
    records.forEach(add);
    count();
  };
  const count = () => {
    const shown = records.filter((record) => !record.line.hidden).length;
    say(state, records.length === 0 ? "Nothing was logged that fits." : shown < records.length ? `${shown} of ${records.length} lines` : "");
  };
  const take = (items, page) => {
    const low = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    records.push(...items);
    list.append(...items.map(add));
    while (records.length > KEPT) records.shift().line.remove();
    if (low) list.scrollTop = list.scrollHeight;
    count();
    if (page?.is_gap) say(state, "Some lines in between are gone: more came than the log keeps.");
    for (const note of page?.notes ?? []) say(state, note);
  };
  const failed = (problem) => {
    if (problem.name === "AbortError") return;
    if (problem.status === 404) fill(list, h("li", {}, quiet("This node does not show logs here: cumulet logs does.")));
    else complain(problem);
  };
  const begin = async () => {
    running?.abort();
    running = new AbortController();
    records = [];
    fill(list);
    say(state, "…");
    const own = running.signal;
    if (following.checked) return follow({ client, app, signal: own, query: asked(), take }).catch(failed);
    return client.get(place(app, "/logs"), { ...asked(), last: true }, own).then((page) => take(page.items, page)).catch(failed);
  };
  const older = async () => {
    const first = records.find((record) => record.time);
    if (!first) return;
    const until = Math.floor(new Date(first.time).getTime() * 1000);
    try {
      const page = await client.get(place(app, "/logs"), { ...asked(), last: true, until_us: until }, signal);
      const high = list.scrollHeight;
      records.unshift(...page.items);
      list.prepend(...page.items.map(add));
      list.scrollTop += list.scrollHeight - high;
      if (page.items.length === 0) say(state, "That is all that is kept.");
    } catch (problem) {
      failed(problem);
    }
  };
  begin();
  return { element };
}
