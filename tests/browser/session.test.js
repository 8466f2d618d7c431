// Who gets in, and who does not: the page is real, and so is whoever attacks it.

import assert from "node:assert/strict";
import http from "node:http";
import { after, before, test } from "node:test";
import { join } from "node:path";
import { EXAMPLES, Node, browse, keep, open, signIn, until } from "./harness.js";

let node;
let browser;

before(async () => {
  [node, browser] = await Promise.all([Node.start(), browse()]);
  await node.deploy({ app: "hello", file: join(EXAMPLES, "hello.wasm") });
  await node.deploy({ app: "hello", file: join(EXAMPLES, "hello.wasm"), version: "2" });
});
after(async () => {
  await browser?.close();
  await node?.stop();
});

/** A request with exactly these headers. */
function raw(method, path, headers, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: node.admin.hostname, port: node.admin.port, method, path, headers }, (response) => {
      let text = "";
      response.on("data", (part) => { text += part; }).on("end", () => resolve({ status: response.statusCode, text, headers: response.headers }));
    });
    request.on("error", reject).end(body);
  });
}

const traffic = async () => (await node.call("GET", "/v1/tenants/local/apps/hello")).traffic;

/** The two halves of a session. */
async function halves(context, page) {
  const [cookie] = await context.cookies();
  return { cookie, proof: await page.evaluate(() => localStorage.getItem("cumulet-proof")) };
}

test("a wrong token stays outside, the right one enters, and sign-out ends the session", async () => {
  const { page, context, seen } = await open(browser, node, { signedIn: false });
  await keep(page, "sign-in");
  const wrong = `${node.token.slice(0, -4)}AAAA`;
  for (const text of ["nonsense", wrong]) {
    await page.getByLabel("Token").fill(text);
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: /token/ }).waitFor();
  }
  await keep(page, "sign-in-wrong");
  assert.deepEqual(await context.cookies(), []);
  await signIn(page, node.token);
  await page.getByRole("link", { name: "local/hello" }).waitFor();
  const { cookie, proof } = await halves(context, page);
  assert.ok(cookie.httpOnly && cookie.sameSite === "Strict" && cookie.path === "/", JSON.stringify(cookie));
  assert.ok(!(await page.evaluate(() => document.documentElement.outerHTML)).includes(node.token), "the token is in the page");
  // A reload and another tab go on.
  await page.reload();
  await page.getByRole("link", { name: "local/hello" }).waitFor();
  const other = await context.newPage();
  await other.goto(node.admin.href);
  await other.getByRole("link", { name: "local/hello" }).waitFor();
  const both = { cookie: `${cookie.name}=${cookie.value}`, "x-cumulet-csrf": proof };
  assert.equal((await raw("GET", "/v1/whoami", both)).status, 200);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Token").waitFor();
  assert.equal((await raw("GET", "/v1/whoami", both)).status, 401, "the session goes on after sign-out");
  await other.getByLabel("Token").waitFor();
  assert.deepEqual(seen.violations, []);
  const audit = await node.call("GET", "/v1/audit?limit=100");
  const actions = audit.items.map((entry) => `${entry.action} ${entry.outcome}`);
  for (const action of ["token.use denied", "session.begin done", "session.end done"]) assert.ok(actions.includes(action), `${action} in ${actions}`);
  const began = audit.items.find((entry) => entry.action === "session.begin");
  assert.match(began.who, /[a-z0-9]{12}/);
  await context.close();
});

test("neither half of a session does anything alone", async () => {
  const { page, context } = await open(browser, node);
  const { cookie, proof } = await halves(context, page);
  const half = `${cookie.name}=${cookie.value}`;
  const same = { "sec-fetch-site": "same-origin", origin: node.admin.origin };
  const json = { "content-type": "application/json" };
  const rollback = "/v1/tenants/local/apps/hello/rollback";
  const cases = [
    ["the cookie alone", { cookie: half }, 401],
    ["the cookie alone, from the page's origin", { cookie: half, ...same }, 401],
    ["the proof alone", { "x-cumulet-csrf": proof }, 401],
    ["a wrong proof", { cookie: half, "x-cumulet-csrf": `${proof.slice(0, -1)}_`, ...same }, 401],
    ["both, from another port", { cookie: half, "x-cumulet-csrf": proof, "sec-fetch-site": "same-site", origin: "http://127.0.0.1:1" }, 401],
    ["both, from another site", { cookie: half, "x-cumulet-csrf": proof, "sec-fetch-site": "cross-site", origin: "http://evil.example" }, 401],
    ["both, under a stranger's name", { cookie: half, "x-cumulet-csrf": proof, host: `evil.example:${node.admin.port}` }, 421],
  ];
  const was = await traffic();
  for (const [what, headers, status] of cases) {
    const read = await raw("GET", "/v1/whoami", headers);
    assert.equal(read.status, status, `${what}: reading: ${read.text}`);
    assert.equal(read.headers["access-control-allow-origin"], undefined);
    assert.equal((await raw("POST", rollback, { ...headers, ...json }, "{}")).status, status, `${what}: writing`);
  }
  assert.deepEqual(await traffic(), was);
  for (const headers of [{ "content-type": "text/plain" }, { ...json, "sec-fetch-site": "cross-site" }, { ...json, origin: "http://evil.example" }, {}]) {
    const signed = await raw("POST", "/ui/session", headers, JSON.stringify({ token: node.token }));
    assert.equal(signed.status, 403, JSON.stringify(headers));
    assert.equal(signed.headers["set-cookie"], undefined);
  }
  await context.close();
});

test("a page of another port gets the cookie, and still nothing out of it", async () => {
  const { page, context } = await open(browser, node);
  const was = await traffic();
  const got = [];
  const admin = node.admin.origin;
  const attack = `<!doctype html><title>evil</title><iframe id="frame" src="${admin}/"></iframe>
    <form id="form" method="post" enctype="text/plain" action="${admin}/v1/tenants/local/apps/hello/rollback" target="out"><input name='{"revision":"r1","x":"' value='"}'></form><iframe name="out" id="out"></iframe>
    <script>window.results = (async () => {
      const said = [];
      const call = async (name, path, options) => { try { const answer = await fetch("${admin}" + path, { credentials: "include", ...options }); said.push([name, answer.type, answer.type === "opaque" ? "" : await answer.text()]); } catch (error) { said.push([name, "refused"]); } };
      await call("read", "/v1/whoami", {});
      await call("write", "/v1/tenants/local/apps/hello/rollback", { method: "POST", mode: "no-cors", body: "{}" });
      await call("write with a header", "/v1/tenants/local/apps/hello/rollback", { method: "POST", headers: { "content-type": "application/json", "x-cumulet-csrf": "x" }, body: "{}" });
      await call("sign in", "/ui/session", { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
      await call("script", "/ui/main.js", {});
      document.getElementById("form").submit();
      return said;
    })();</script>`;
  const evil = http.createServer((request, response) => { got.push(request.headers.cookie ?? ""); response.writeHead(200, { "content-type": "text/html" }).end(attack); });
  await new Promise((resolve) => evil.listen(0, "127.0.0.1", resolve));
  const victim = await context.newPage();
  const written = victim.waitForResponse((response) => response.url().endsWith("/rollback") && response.request().resourceType() === "document");
  await victim.goto(`http://127.0.0.1:${evil.address().port}/`);
  const said = await victim.evaluate(() => window.results);
  assert.equal((await written).status(), 401, "the form");
  for (const [name, type] of said) assert.ok(type === "refused" || type === "opaque", `${name}: ${type}`);
  // The browser makes no difference between ports: this is why a cookie alone is worth nothing.
  const { cookie } = await halves(context, page);
  assert.ok(got.some((text) => text.includes(cookie.value)), "the cookie was not sent to the other port");
  assert.equal((await raw("GET", "/v1/whoami", { cookie: got.find(Boolean) })).status, 401);
  assert.equal((await raw("GET", "/v1/whoami", { cookie: got.find(Boolean), "x-cumulet-csrf": cookie.value })).status, 401);
  const framed = victim.frames().find((frame) => frame !== victim.mainFrame() && frame.url() !== "about:blank");
  assert.ok(!framed || !(await framed.content().catch(() => "")).includes("/ui/main.js"), "the page is in a frame");
  assert.deepEqual(await traffic(), was);
  // The page itself goes on.
  await page.reload();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  evil.close();
  await context.close();
});

test("a session ends with its token", async () => {
  const made = await node.call("POST", "/v1/tokens", { name: "guest", scope: "read", tenant: "local" });
  const { page, context } = await open(browser, node, { signedIn: false });
  await signIn(page, made.secret);
  await page.getByRole("link", { name: "local/hello" }).click();
  await page.getByText("This token sees, and changes nothing.").waitFor();
  assert.equal(await page.getByRole("button", { name: "Roll back" }).count(), 0);
  await node.call("DELETE", `/v1/tokens/${made.id}`);
  await page.getByLabel("Token").waitFor();
  await context.close();
});

test("every answer says what a browser may do with it", async () => {
  const policy = /default-src 'none'.*frame-ancestors 'none'/;
  for (const path of ["/", "/ui/main.js", "/ui/style.css", "/ui/nothing", "/v1/whoami", "/metrics", "/healthz"]) {
    const { headers } = await raw("GET", path, {});
    assert.match(headers["content-security-policy"], policy, path);
    assert.equal(headers["x-content-type-options"], "nosniff", path);
    assert.equal(headers["referrer-policy"], "no-referrer", path);
  }
  const { headers } = await raw("GET", "/", {});
  assert.match(headers["content-security-policy"], /script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; .*form-action 'self'$/);
  assert.equal((await raw("GET", "/", { "if-none-match": headers.etag })).status, 304);
  for (const path of ["/", "/metrics", "/ui/main.js"]) assert.equal((await raw("GET", path, { host: "evil.example" })).status, 421, path);
  assert.equal((await raw("GET", "/healthz", { host: "evil.example" })).status, 200);
  await until("the page is there at localhost", async () => (await raw("GET", "/", { host: `localhost:${node.admin.port}` })).status === 200);
});
