// A real node with real apps, and a real browser before it. Every wait has a bound.

import { spawn } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import http from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const BINARY = process.env.CUMULET_BIN ?? join(ROOT, "target/debug/cumulet");
const CHROMIUM = process.env.CUMULET_CHROMIUM ?? "/usr/bin/chromium";
const SHOTS = join(ROOT, "target/browser");
/** How long anything is waited for: what comes at all has come by then, also on a machine that does much else. */
export const PATIENCE_MS = 180_000;

export const EXAMPLES = join(ROOT, "examples/target/wasm32-wasip2/release");
export const GUESTS = join(ROOT, "tests/guests/target/wasm32-wasip2/release");

/** A node on ports and in a folder of its own. */
export class Node {
  static async start(config = "") {
    const folder = mkdtempSync(join(tmpdir(), "cumulet-browser-"));
    const file = join(folder, "node.toml");
    writeFileSync(file, `node = 1\nname = "edge-1"\n${config}`);
    const data = join(folder, "data");
    const child = spawn(BINARY, ["node", "--config", file, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--json", "--data-dir", data], { stdio: ["ignore", "pipe", "pipe"] });
    const said = [];
    child.stderr.on("data", (bytes) => { said.push(bytes); if (said.length > 1000) said.shift(); });
    const ready = await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the node does not get ready:\n${said.join("")}`)), PATIENCE_MS);
      child.on("exit", () => reject(new Error(`the node ended:\n${said.join("")}`)));
      createInterface({ input: child.stdout }).on("line", (line) => {
        const event = JSON.parse(line);
        if (event.event === "ready") { clearTimeout(timer); resolve(event); }
      });
    });
    const node = new Node();
    Object.assign(node, { folder, child, url: new URL(ready.url), admin: new URL(ready.admin), token: readFileSync(join(data, "admin.token"), "utf8").trim() });
    return node;
  }

  async stop() {
    const ended = new Promise((resolve) => this.child.on("exit", resolve));
    this.child.kill("SIGKILL");
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A call of the API by a token. */
  async call(method, path, body, headers = {}) {
    const response = await fetch(new URL(path, this.admin), { method, body: body instanceof Uint8Array ? body : body && JSON.stringify(body), headers: { authorization: `Bearer ${this.token}`, ...headers } });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  /** Deploys an app of one component, and returns once it is live. */
  async deploy({ tenant = "local", app, file, grant = "", version, ...more }) {
    const bytes = readFileSync(file);
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    await this.call("PATCH", `/v1/tenants/${tenant}/blobs/${digest}`, bytes, { "upload-offset": "0", "upload-length": String(bytes.length) });
    const manifest = `manifest = 1\n[app]\nname = "${app}"\n${version ? `version = "${version}"\n` : ""}[component.main]\nsource = "main.wasm"\n[component.main.limit]\ncpu = "2s"\n${grant ? `[component.main.grant]\n${grant}\n` : ""}[[trigger.http]]\nroute = "/*"\ncomponent = "main"\n`;
    const place = `/v1/tenants/${tenant}/apps/${app}/deploys`;
    let deploy = await this.call("POST", place, { manifest, components: { main: digest }, accept_grants: true, ...more });
    while (deploy.phase !== "live") {
      if (deploy.phase === "failed") throw new Error(JSON.stringify(deploy.failure));
      deploy = await this.call("GET", `${place}/${deploy.id}?seen=${deploy.phases.length}&wait=30`);
    }
    return deploy;
  }

  /** A request to an app; returns its status and its text. */
  ask(app, path = "/", headers = {}, tenant = "local") {
    return new Promise((resolve, reject) => {
      const request = http.request({ host: this.url.hostname, port: this.url.port, path, headers: { host: `${app}.${tenant}.localhost`, ...headers }, timeout: PATIENCE_MS }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part) => { text += part; }).on("end", () => resolve({ status: response.statusCode, text })).on("error", () => resolve({ status: response.statusCode, text }));
      });
      request.on("error", reject).on("timeout", () => request.destroy(new Error("no answer"))).end();
    });
  }

  /** Whether the API has a place; where not, that is noted by name, and CI does not pass. */
  async has(path, what) {
    const { paths } = await this.call("GET", "/v1/openapi.json");
    if (paths[path]) return true;
    const line = `the page in a browser: ${what}\tthe node has no ${path}\tupdate the node\n`;
    if (process.env.CUMULET_LEFT_OUT) appendFileSync(process.env.CUMULET_LEFT_OUT, line);
    else process.stderr.write(`left out: ${line}`);
    return false;
  }
}

/** The browser. */
export function browse() {
  // Its sandbox needs a user of its own, which build machines in containers do not have; what it opens is ours.
  return chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"], timeout: PATIENCE_MS });
}

/** A page of a browser of its own, which notes what it asks for and what it complains of. */
export async function open(browser, node, { hash = "", signedIn = true, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const seen = { asked: [], violations: [], errors: [] };
  context.on("request", (request) => seen.asked.push(request.url()));
  await context.exposeBinding("violated", (_, what) => { seen.violations.push(what); });
  await context.addInitScript(() => addEventListener("securitypolicyviolation", (event) => window.violated(`${event.violatedDirective} ${event.blockedURI}`)));
  const page = await context.newPage();
  page.on("pageerror", (error) => seen.errors.push(error.message));
  page.on("console", (message) => { if (/Content.Security.Policy/i.test(message.text())) seen.violations.push(message.text()); });
  await page.goto(new URL(`/${signedIn ? "" : hash}`, node.admin).href);
  if (signedIn) {
    await signIn(page, node.token);
    if (hash) await page.evaluate((to) => { location.hash = to; }, hash);
  }
  return { page, context, seen };
}

export async function signIn(page, token) {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
}

/** Keeps what is to be seen, for people to look at. */
export async function keep(page, name) {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`), animations: "disabled" });
}

/** Asks until it holds. */
export async function until(what, holds) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
