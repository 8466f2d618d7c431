// The page: a request that somebody types, and what became of it. What the component says becomes text, never markup.

import { settings } from "./settings.js";

/** How much of a body is shown as text, in bytes. */
const TEXT_BYTES_MAX = 256 << 10;
/** Types that are shown as text. */
const TEXTUAL = /^(text\/|application\/([a-z0-9.-]+\+)?(json|xml|yaml|javascript)\b)/;
/** Types that are shown as a picture. */
const PICTURE = /^image\/(png|jpeg|webp|gif|avif|bmp)\b/;

const find = (id) => document.getElementById(id);
const form = find("request");
const one = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

let worker = null;
let timer = null;
let shown = null;
let isBusy = false;

function h(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1 << 20 ? `${one.format(bytes / 1024)} KiB` : `${one.format(bytes / (1 << 20))} MiB`;
}

/** A worker with the component; the one before it, and whatever runs in it, ends. */
function start() {
  worker?.terminate();
  worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  worker.addEventListener("message", ({ data }) => take(data));
  worker.addEventListener("error", (event) => fail({ outcome: "host-error", message: event.message || "the worker cannot start" }));
}

function take({ loaded, unloaded, answer, failure, lines }) {
  if (unloaded) fail({ outcome: "host-error", message: unloaded });
  else if (loaded) { if (!isBusy) say("Ready."); }
  else if (failure) fail(failure, lines);
  else succeed(answer, lines);
}

function say(text, isBad = false) {
  find("status").textContent = text;
  find("status").classList.toggle("bad", isBad);
}

function busy(is) {
  isBusy = is;
  find("send").disabled = is;
  find("stop").disabled = !is;
  if (!is) clearTimeout(timer);
}

/** `name: value` lines as pairs. */
function headers(text) {
  return text.split("\n").map((line) => line.trim()).filter(Boolean).map((line) => {
    const at = line.indexOf(":");
    if (at < 1) throw new Error(`a header is "name: value", and this is "${line}"`);
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
}

function send() {
  const { method, path, headers: lines, body, file } = form.elements;
  let asked;
  try {
    const url = new URL(path.value, location.origin);
    if (url.origin !== location.origin) throw new Error("a path begins with one /, and names no server");
    const given = file.files[0] ?? (body.value || null);
    const isBodiless = ["GET", "HEAD"].includes(method.value);
    asked = { url: url.href, method: method.value, headers: headers(lines.value), body: isBodiless ? null : given };
  } catch (error) {
    fail({ outcome: "request", message: error.message });
    return;
  }
  busy(true);
  say("Running…");
  timer = setTimeout(() => end("deadline", `it ran longer than its ${settings.timeMs / 1000} s`), settings.timeMs);
  worker.postMessage(asked);
}

/** Ends what runs: a worker cannot be interrupted otherwise. */
function end(outcome, message) {
  start();
  fail({ outcome, message });
}

function succeed({ status, headers: pairs, bytes, took }, lines) {
  busy(false);
  say(`${status} · ${size(bytes.byteLength)} · ${one.format(took)} ms`, status >= 400);
  find("headers-out").replaceChildren(...pairs.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  show(bytes, pairs.find(([name]) => name === "content-type")?.[1] ?? "");
  print(lines);
}

function fail({ outcome, message }, lines = []) {
  busy(false);
  say(`${outcome}: ${message}`, true);
  find("headers-out").replaceChildren();
  show(new ArrayBuffer(0), "");
  print(lines);
}

function show(bytes, type) {
  if (shown) URL.revokeObjectURL(shown);
  shown = bytes.byteLength > 0 ? URL.createObjectURL(new Blob([bytes], { type: PICTURE.test(type) ? type : "application/octet-stream" })) : null;
  const parts = [];
  if (shown && PICTURE.test(type)) parts.push(h("img", { src: shown, alt: "The picture that the component answered with" }));
  else if (shown && (TEXTUAL.test(type) || type === "")) {
    parts.push(h("pre", { tabindex: "0", "aria-label": "Body" }, new TextDecoder().decode(bytes.slice(0, TEXT_BYTES_MAX))));
    if (bytes.byteLength > TEXT_BYTES_MAX) parts.push(h("p", { class: "quiet" }, `The first ${size(TEXT_BYTES_MAX)}.`));
  }
  if (shown) parts.push(h("p", {}, h("a", { href: shown, download: "response" }, "Save the body")));
  find("body-out").replaceChildren(...parts);
}

function print(lines) {
  find("printed").hidden = lines.length === 0;
  find("lines").replaceChildren(...lines.map(({ stream, line }) => h("li", { class: stream }, line)));
}

find("app").textContent = settings.app;
document.title = settings.app;
form.addEventListener("submit", (event) => { event.preventDefault(); if (!isBusy) send(); });
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); }
});
find("stop").addEventListener("click", () => end("stopped", "somebody stopped it"));
start();
