// A component in a browser answers as the node does that serves it: the same status, headers and bytes.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { BINARY, PATIENCE_MS, ROOT, browse, keep } from "./harness.js";

const DATA = join(ROOT, "tests/data/browser");
const TYPES = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".wasm": "application/wasm" };
/** What a node adds to a response, and what says how long it is: a browser's Response says that otherwise. */
const OF_THE_NODE = ["connection", "content-length", "date", "keep-alive", "transfer-encoding", "x-request-id"];

let folder;
let browser;
let files;
let others = [];

/** Everything below the folder, by its path; with `?plain` of no type that a browser knows. */
function serveFiles() {
  return new Promise((resolve) => {
    const server = http.createServer((request, response) => {
      const { pathname } = new URL(request.url, "http://x");
      try {
        const bytes = readFileSync(join(folder, pathname));
        const isPlain = pathname.startsWith("/plain/") && pathname.endsWith(".wasm");
        response.writeHead(200, { "content-type": isPlain ? "application/octet-stream" : TYPES[extname(pathname)] ?? "text/plain" }).end(bytes);
      } catch {
        response.writeHead(404).end();
      }
    });
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}

/** Makes the page of a component, and returns what the program says. */
function build(target, name) {
  const out = execFileSync(BINARY, ["build", target, "--target", "browser", "-o", join(folder, name), "--json"], { encoding: "utf8", timeout: PATIENCE_MS * 4 });
  return JSON.parse(out);
}

/** A node that serves the same. */
async function serve(target, data) {
  const child = spawn(BINARY, ["up", target, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--json", "--data-dir", join(folder, data)], { stdio: ["ignore", "pipe", "ignore"] });
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the node does not get ready")), PATIENCE_MS * 4);
    child.on("exit", () => reject(new Error("the node ended")));
    createInterface({ input: child.stdout }).on("line", (line) => {
      const event = JSON.parse(line);
      if (event.event === "ready") { clearTimeout(timer); resolve(new URL(event.url)); }
    });
  });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const stop = () => { child.kill("SIGKILL"); return ended; };
  return { url, stop };
}

/** What a request of the table says. */
function payload({ file, body }) {
  if (file) return readFileSync(join(ROOT, file));
  return body === undefined ? null : Buffer.from(body);
}

/** The node's answer, asked for as if it were where the page is. */
function ofNode(url, asked) {
  const bytes = payload(asked);
  const length = bytes ? { "content-length": bytes.length } : {};
  const headers = { host: origin().host, ...asked.headers, ...length };
  return new Promise((resolve, reject) => {
    const request = http.request({ host: url.hostname, port: url.port, method: asked.method, path: asked.path, headers, timeout: PATIENCE_MS }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part)).on("end", () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) })).on("error", reject);
    });
    request.on("error", reject).on("timeout", () => request.destroy(new Error("no answer"))).end(bytes ?? undefined);
  });
}

/** The page's answer, through its module alone. */
async function ofPage(page, asked) {
  const sent = { method: asked.method, path: asked.path, headers: asked.headers ?? {}, bytes: payload(asked)?.toString("base64") ?? null };
  const answer = await page.evaluate(async ({ method, path, headers, bytes }) => {
    const { handle } = await import("./app.js");
    const body = bytes === null ? null : Uint8Array.from(atob(bytes), (char) => char.charCodeAt(0));
    const lines = [];
    const output = (stream, line) => lines.push(`${stream} ${line}`);
    try {
      const response = await handle(new Request(new URL(path, location.origin), { method, headers, body }), { output });
      const url = await new Promise(async (resolve) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result);
        reader.readAsDataURL(new Blob([await response.arrayBuffer()]));
      });
      return { status: response.status, headers: Object.fromEntries(response.headers), body: url.slice(url.indexOf(",") + 1), lines };
    } catch (error) {
      return { outcome: error.outcome ?? null, message: error.message, lines };
    }
  }, sent);
  return { ...answer, body: Buffer.from(answer.body ?? "", "base64") };
}

const origin = () => new URL(`http://127.0.0.1:${files.address().port}/`);

/** A page that notes whom it asks, what its policy stops, and what fails. */
async function visit(path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const wrong = [];
  context.on("request", (request) => { if (!request.url().startsWith(origin().href) && !request.url().startsWith("blob:")) wrong.push(`asks ${request.url()}`); });
  const page = await context.newPage();
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("console", (message) => { if (/Content.Security.Policy/i.test(message.text())) wrong.push(message.text()); });
  await page.goto(new URL(path, origin()).href);
  const leave = async () => { await context.close(); assert.deepEqual(wrong, []); };
  return { page, leave };
}

const lines = (body) => body.toString().split("\n").sort();
const kept = (headers) => Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_THE_NODE.includes(name)));

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "cumulet-component-"));
  files = await serveFiles();
  browser = await browse();
});
after(async () => {
  await browser?.close();
  files?.closeAllConnections();
  files?.close();
  await Promise.all(others.map((stop) => stop()));
  if (folder) rmSync(folder, { recursive: true, force: true });
});

for (const table of readdirSync(DATA).sort()) {
  const name = basename(table, ".json");
  test(`${name} answers as on the node`, async () => {
    const { component, requests } = JSON.parse(readFileSync(join(DATA, table), "utf8"));
    const target = join(ROOT, component);
    build(target, name);
    const node = await serve(target, `${name}.data`);
    others.push(node.stop);
    const { page, leave } = await visit(`/${name}/index.html`);
    for (const asked of requests) {
      const what = `${asked.method} ${asked.path}`;
      const here = await ofPage(page, asked);
      if (asked.outcome) assert.equal(here.outcome, asked.outcome, `${what}: ${here.message}`);
      // A node may have sent the head when a component fails.
      if (!asked.status) continue;
      const there = await ofNode(node.url, asked).catch((error) => assert.fail(`${what} on the node: ${error.message}`));
      assert.equal(there.status, asked.status, `${what} on the node`);
      if (asked.outcome) continue;
      assert.equal(here.status, there.status, `${what}: ${here.message}`);
      assert.deepEqual(kept(here.headers), kept(there.headers), what);
      // Header fields come in no order of names.
      if (asked.unordered) assert.deepEqual(lines(here.body), lines(there.body), what);
      else assert.ok(here.body.equals(there.body), `${what}: ${here.body.length} bytes, and ${there.body.length} on the node`);
    }
    await leave();
  });
}

test("what was granted is there, and a page is replaced by the next one", async () => {
  const app = join(folder, "granted.app");
  mkdirSync(app);
  const source = join(ROOT, "tests/guests/target/wasm32-wasip2/release/hostile.wasm");
  writeFileSync(join(app, "cumulet.toml"), `manifest = 1\n[app]\nname = "granted"\n[component.main]\nsource = ${JSON.stringify(source)}\n[component.main.grant]\nenv = { LOG = "info", NAME = "</script>" }\n[component.main.limit]\ntime = "2s"\n[[trigger.http]]\nroute = "/*"\ncomponent = "main"\n`);
  const first = build(app, "granted");
  const said = build(app, "granted");
  assert.deepEqual(said, first);
  const sizes = said.files.map(({ file }) => statSync(join(folder, "granted", file)).size);
  assert.deepEqual(said.files.map(({ bytes }) => bytes), sizes);
  assert.equal(said.bytes, sizes.reduce((sum, size) => sum + size));
  const node = await serve(app, "granted.data");
  others.push(node.stop);
  const { page, leave } = await visit("/granted/index.html");
  const asked = { method: "GET", path: "/env" };
  const [here, there] = [await ofPage(page, asked), await ofNode(node.url, asked)];
  assert.equal(here.body.toString(), there.body.toString());
  assert.match(here.body.toString(), /^env LOG=info\n/);
  // A wait is a clock that is put forward, for as long as the component may run.
  assert.equal((await ofPage(page, { method: "GET", path: "/sleep?ms=1500" })).status, 200);
  assert.equal((await ofPage(page, { method: "GET", path: "/sleep?ms=2500" })).outcome, "deadline");
  const logged = await ofPage(page, { method: "GET", path: "/log?line=seen" });
  assert.deepEqual(logged.lines, ["stdout out seen", "stdout seen", "stderr err seen"]);
  const [one, other] = [await ofPage(page, { method: "GET", path: "/random" }), await ofPage(page, { method: "GET", path: "/random" })];
  assert.notEqual(one.body.toString(), other.body.toString());
  const flood = await ofPage(page, { method: "GET", path: "/flood-headers" });
  assert.ok(flood.outcome, "headers without a bound");
  await leave();
});

for (const colorScheme of ["light", "dark"]) {
  test(`a request is typed and its response seen, ${colorScheme}`, async () => {
    build(join(ROOT, "examples/target/wasm32-wasip2/release/image_resize.wasm"), "picture");
    const { page, leave } = await visit("/picture/index.html", { colorScheme });
    await page.getByText("Ready.").waitFor();
    // By keyboard alone, from the top.
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
    await page.keyboard.press("Tab");
    await page.keyboard.press("P");
    await page.keyboard.press("Tab");
    await page.keyboard.type("?w=500");
    await page.getByLabel("or a file").setInputFiles(join(ROOT, "examples/image-resize/data/harbour.jpg"));
    await page.keyboard.press("Control+Enter");
    await page.getByText(/^200 · /).waitFor();
    await page.locator("#body-out img").waitFor();
    assert.equal(await page.locator("#body-out img").evaluate((image) => image.decode().then(() => image.naturalWidth)), 500);
    await page.getByText("500x333").waitFor();
    await keep(page, `component-${colorScheme}`);
    await leave();
  });
}

test("a component that does not end is stopped, and its text stays text", async () => {
  // Whatever type the server gives the core modules.
  build(join(ROOT, "tests/guests/target/wasm32-wasip2/release/hostile.wasm"), "plain");
  const { page, leave } = await visit("/plain/index.html");
  await page.getByText("Ready.").waitFor();
  const path = page.getByLabel("Path");
  await path.fill("/spin?ms=100000");
  await path.press("Enter");
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByText("stopped: somebody stopped it").waitFor();
  await path.fill("/panic");
  await path.press("Enter");
  await page.getByText(/^trap: /).waitFor();
  await page.getByText("as asked").waitFor();
  await path.fill("//elsewhere.example/");
  await path.press("Enter");
  await page.getByText("a path begins with one /, and names no server").waitFor();
  const script = "<img src=x onerror=\"window.owned=1\"><script>window.owned=1</script>";
  await page.getByLabel("Method").selectOption("POST");
  await path.fill("/echo");
  await page.getByLabel("Body", { exact: true }).fill(script);
  await path.press("Enter");
  await page.locator("pre").waitFor();
  assert.equal(await page.locator("pre").textContent(), script);
  assert.equal(await page.evaluate(() => window.owned), undefined);
  await leave();
});

test("a service worker answers with it", async () => {
  build(join(ROOT, "examples/target/wasm32-wasip2/release/config_validate.wasm"), "offline");
  writeFileSync(join(folder, "offline/service.js"), `
    import { handle } from "./app.js";
    addEventListener("activate", (event) => event.waitUntil(clients.claim()));
    addEventListener("fetch", (event) => {
      if (new URL(event.request.url).pathname === "/offline/schemas") {
        const request = new Request(new URL("/schemas", location.origin), event.request);
        event.respondWith(handle(request));
      }
    });`);
  const { page, leave } = await visit("/offline/index.html");
  const text = await page.evaluate(async () => {
    await navigator.serviceWorker.register("./service.js", { type: "module" });
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller) await new Promise((resolve) => navigator.serviceWorker.addEventListener("controllerchange", resolve));
    return (await fetch("./schemas")).text();
  });
  assert.equal(text, "{\"schemas\":[\"deployment\",\"feature-flags\"]}\n");
  await leave();
});
