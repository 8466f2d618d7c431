// What is seen, and what is done, with a mouse and without.

import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { join } from "node:path";
import { EXAMPLES, GUESTS, Node, browse, keep, open, until } from "./harness.js";

const HELLO = join(EXAMPLES, "hello.wasm");
const SCRIPT = "<img src=x onerror=\"window.owned=1\"><script>window.owned=1</script>";
const GRANTS = "http = [\"https://api.example.com\", \"https://payments.example.net:8443\"]\nkeyvalue = [\"carts\"]\nsqlite = [\"catalogue\"]\nblobstore = [\"pictures\"]\nconfig = { currency = \"EUR\", greeting = \"hello\" }\n";

let node;
let browser;
let opened = [];

/** A page, signed in, that is looked at when the test has ended. */
async function visit(options) {
  const one = await open(browser, node, options);
  opened.push(one);
  return one.page;
}

before(async () => {
  [node, browser] = await Promise.all([Node.start("[tenant.acme]\n"), browse()]);
  for (const version of ["1.0.0", "1.1.0", "1.2.0"]) await node.deploy({ app: "hello", file: HELLO, version, note: version === "1.1.0" ? "warmer words" : undefined });
  await node.deploy({ app: "hostile", file: join(GUESTS, "hostile.wasm"), note: SCRIPT });
  await node.deploy({ app: "shop", file: join(GUESTS, "stores.wasm"), grant: GRANTS });
  await node.deploy({ tenant: "acme", app: "shortener", file: join(EXAMPLES, "url_shortener.wasm"), grant: "keyvalue = [\"default\"]" });
});
after(async () => {
  await browser?.close();
  await node?.stop();
});
afterEach(async () => {
  for (const { context, seen } of opened) {
    const strangers = seen.asked.filter((url) => !url.startsWith(node.admin.origin) && !url.startsWith("data:"));
    assert.deepEqual(strangers, [], "others are asked");
    assert.deepEqual(seen.violations, [], "the policy is violated");
    assert.deepEqual(seen.errors, [], "a script fails");
    await context.close();
  }
  opened = [];
});

const traffic = async () => (await node.call("GET", "/v1/tenants/local/apps/hello")).traffic;
const leads = (to) => until(`traffic goes to ${to}`, async () => (await traffic()).map((arm) => `${arm.revision} ${arm.percent}`).join() === to);

async function load(times = 30) {
  for (let time = 0; time < times; time += 1) await Promise.all([node.ask("hello"), node.ask("hello", "/deep/path?x=1"), time % 10 === 0 && node.ask("hostile", "/panic")]);
}

test("the list shows every app, and what it does", async (t) => {
  const page = await visit();
  for (const name of ["local/hello", "local/hostile", "local/shop"]) await page.getByRole("link", { name }).waitFor();
  await page.getByLabel("Find an app").fill("host");
  await until("one app is left", async () => (await page.getByRole("row").count()) === 2);
  await page.getByLabel("Find an app").fill("");
  await page.getByLabel("Tenant").fill("acme");
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "acme/shortener" }).waitFor();
  await page.getByLabel("Tenant").fill("");
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "local/hello" }).waitFor();
  const sort = page.getByRole("button", { name: "App", exact: true });
  await sort.click();
  assert.equal(await page.locator("[aria-sort=ascending]").innerText(), "App");
  if (!(await node.has("/v1/live", "numbers of apps"))) return t.diagnostic("no /v1/live");
  await page.mouse.move(0, 0);
  await load();
  const row = page.getByRole("row", { name: /local\/hello/ });
  await until("requests are counted", async () => /[1-9]/.test(await row.locator(".rate").innerText()));
  await until("the line is drawn", async () => (await row.locator(".spark .line.req").getAttribute("d"))?.length > 20);
  assert.match(await row.locator(".p99").innerText(), /(µs|ms|s)$/);
  await keep(page, "apps");
});

test("a click takes a revision back, and another one that", async () => {
  const page = await visit({ hash: "#/app/local/hello" });
  await page.getByText("“warmer words”").or(page.getByText("warmer words")).first().waitFor();
  assert.equal((await traffic())[0].revision, "r3");
  await page.getByRole("button", { name: "Roll back" }).click();
  await leads("r2 100");
  await page.getByRole("status").filter({ hasText: "r2 100%" }).waitFor();
  await keep(page, "rolled-back");
  await page.getByRole("button", { name: "Undo" }).click();
  await leads("r3 100");
  await page.getByRole("button", { name: "Send all traffic to r1" }).click();
  await leads("r1 100");
  await page.getByRole("button", { name: "Undo" }).last().click();
  await leads("r3 100");
});

test("the keyboard alone is enough", async () => {
  const { page } = await (async () => { const one = await open(browser, node, { signedIn: false }); opened.push(one); return one; })();
  const tabTo = async (name) => {
    for (let step = 0; step < 80; step += 1) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => {
        const here = document.activeElement;
        const ring = getComputedStyle(here);
        return { body: here === document.body, name: here.getAttribute("aria-label") ?? here.textContent, ring: ring.outlineStyle !== "none" && ring.outlineWidth !== "0px" };
      });
      assert.ok(at.ring || at.body, `no focus is seen at ${at.name}`);
      if (at.name === name) return;
    }
    assert.fail(`Tab does not lead to ${name}`);
  };
  await page.getByLabel("Token").waitFor();
  await page.keyboard.type(node.token);
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "local/hello" }).waitFor();
  await page.evaluate(() => document.activeElement.blur());
  await tabTo("Skip to the content");
  await page.keyboard.press("Enter");
  await tabTo("local/hello");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Roll back" }).waitFor();
  await tabTo("Roll back");
  await keep(page, "keyboard");
  await page.keyboard.press("Enter");
  await leads("r1 100");
  await page.getByRole("button", { name: "Roll back" }).and(page.locator(":enabled")).waitFor();
  await tabTo("Undo");
  await page.keyboard.press("Enter");
  await leads("r3 100");
  for (const part of ["Logs", "Usage", "Grants", "Deploys"]) {
    await page.evaluate(() => document.activeElement.blur());
    await tabTo(part);
    await page.keyboard.press("Enter");
    await page.locator(".tabs [aria-current]", { hasText: part }).waitFor();
  }
});

test("traffic is split in whole percent that add up", async () => {
  const page = await visit({ hash: "#/app/local/hello" });
  await page.getByRole("button", { name: "Split…" }).click();
  await page.getByLabel("Share of r1, as a number").fill("25");
  assert.equal(await page.getByLabel("Share of r3, as a number").inputValue(), "75");
  const range = page.getByLabel("Share of r2 in percent");
  await range.focus();
  for (let step = 0; step < 10; step += 1) await page.keyboard.press("ArrowRight");
  const shares = await Promise.all(["r1", "r2", "r3"].map(async (name) => Number(await page.getByLabel(`Share of ${name}, as a number`).inputValue())));
  assert.equal(shares.reduce((sum, share) => sum + share, 0), 100, String(shares));
  assert.equal(shares[1], 10);
  await keep(page, "split");
  await page.getByRole("button", { name: "Apply" }).click();
  await until("three revisions answer", async () => (await traffic()).length === 3);
  await page.locator(".revisions .share", { hasText: "10%" }).waitFor();
  await keep(page, "split-applied");
  // What somebody else changed meanwhile is not undone unseen.
  await page.getByRole("button", { name: "Split…" }).click();
  await page.getByLabel("Share of r1, as a number").fill("1");
  await node.call("POST", "/v1/tenants/local/apps/hello/rollback", { revision: "r3" });
  await page.getByRole("button", { name: "Apply" }).click();
  await page.locator(".toast.bad").waitFor();
  assert.deepEqual(await traffic(), [{ revision: "r3", percent: 100 }]);
});

test("requests, charts and the log follow what happens", async (t) => {
  if (!(await node.has("/v1/tenants/{tenant}/apps/{app}/logs", "logs and live requests"))) return t.diagnostic("no logs");
  const page = await visit({ hash: "#/app/local/hello" });
  await page.getByText("following").waitFor();
  await load(20);
  await page.locator(".requests .path", { hasText: "/deep/path" }).first().waitFor();
  await until("dots are drawn", async () => (await page.locator(".dots circle").count()) > 10);
  if (await node.has("/v1/live", "charts")) {
    await until("a line is drawn", async () => (await page.locator(".chart path.line").first().getAttribute("d"))?.length > 20);
    const fills = await page.locator(".chart path[fill]").evaluateAll((all) => all.map((path) => document.querySelector(path.getAttribute("fill").slice(4, -1)) !== null));
    assert.ok(fills.length > 0 && fills.every(Boolean), "an area is filled with nothing");
  }
  await keep(page, "app");
  await page.locator(".requests .path").first().click();
  await until("its log is there", async () => (await page.locator(".log li:visible").count()) > 0);
  await page.locator("#request").fill("");
  await page.locator("#request").press("Enter");
  await page.goto(new URL("/#/app/local/hostile/logs", node.admin).href);
  await page.getByLabel("Logs", { exact: true }).waitFor();
  await node.ask("hostile", "/log?line=first-line-of-many");
  await page.locator(".log .output", { hasText: "out first-line-of-many" }).waitFor();
  await page.getByLabel("find").fill("err first");
  await until("one line is left", async () => (await page.locator(".log li:visible").count()) === 1);
  await page.getByLabel("find").fill("");
  await node.ask("hostile", "/panic");
  await page.locator(".log .invocation.bad").first().waitFor();
  await keep(page, "logs");
  await page.getByLabel("outcome").selectOption("trap");
  await until("only traps are left", async () => (await page.locator(".log .invocation").count()) > 0 && (await page.locator(".log .output").count()) === 0);
});

test("grants are a graph", async (t) => {
  if (!(await node.has("/v1/tenants/{tenant}/apps/{app}/revisions/{revision}", "grants"))) return t.diagnostic("no revision in detail");
  const page = await visit({ hash: "#/app/local/shop/grants" });
  const graph = page.locator("svg.graph");
  await graph.waitFor();
  const words = await graph.locator("text").allTextContents();
  for (const word of ["main", "http", "keyvalue", "sqlite", "blobstore", "config"]) assert.ok(words.some((text) => text.startsWith(word)), `${word} in ${words}`);
  assert.ok(words.some((text) => text.includes("payments.example.net")), String(words));
  assert.ok((await graph.locator("path.link").count()) >= 12);
  await keep(page, "grants");
  await page.getByText("The same as a list").click();
  await page.locator("dd", { hasText: "https://api.example.com" }).waitFor();
});

test("usage has its cost, and deploys their phases", async () => {
  const page = await visit({ hash: "#/app/local/hello/deploys" });
  const first = page.locator(".deploys > li").first();
  await first.getByText("live", { exact: true }).first().waitFor();
  assert.equal(await first.locator("svg.course rect").count(), 4);
  await keep(page, "deploys");
  await page.getByRole("link", { name: "Usage" }).click();
  if (!(await node.has("/v1/usage", "usage"))) return;
  await page.getByText("The same work elsewhere").waitFor();
  await until("requests are summed", async () => {
    await page.getByRole("button", { name: "hour" }).click();
    return (await page.locator(".tile strong").first().innerText()) !== "0";
  });
  await keep(page, "usage");
});

test("what apps and clients write is text", async (t) => {
  const page = await visit({ hash: "#/app/local/hostile" });
  await page.locator(".revisions q", { hasText: "<script>" }).waitFor();
  assert.equal(await page.locator(".revisions img").count(), 0);
  await page.goto(new URL("/#/app/local/%3Cimg%20src=x%3E", node.admin).href);
  await page.getByText("There is no such app").waitFor();
  if (await node.has("/v1/tenants/{tenant}/apps/{app}/logs", "a hostile app's log")) {
    await node.ask("hostile", "/log", { "x-line": SCRIPT });
    await node.ask("hostile", `/log/${encodeURIComponent(SCRIPT)}`);
    await page.evaluate(() => { location.hash = "#/app/local/hostile/logs"; });
    await page.locator(".log .output", { hasText: "<img src=x" }).first().waitFor();
    assert.equal(await page.locator(".log img, .log script").count(), 0);
    await keep(page, "hostile");
  } else t.diagnostic("no logs");
  assert.equal(await page.evaluate(() => window.owned), undefined);
});

test("it fits a narrow screen, by day and by night", async () => {
  await load(5);
  const views = { apps: "#/", app: "#/app/local/hello", logs: "#/app/local/hello/logs", usage: "#/app/local/hello/usage", grants: "#/app/local/shop/grants", deploys: "#/app/local/hello/deploys" };
  for (const [screen, viewport] of Object.entries({ narrow: { width: 360, height: 780 }, wide: { width: 1280, height: 900 } })) {
    const papers = {};
    for (const colorScheme of ["light", "dark"]) {
      const page = await visit({ viewport, colorScheme, reducedMotion: "reduce" });
      for (const [name, hash] of Object.entries(views)) {
        await page.evaluate((to) => { location.hash = to; }, hash);
        await page.locator("main h1").waitFor();
        await page.locator("main .card, main .quiet").first().waitFor();
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${name} is ${wide} too wide on a ${screen} screen`);
        await keep(page, `${name}-${screen}-${colorScheme}`);
      }
      papers[colorScheme] = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const moves = await page.evaluate(() => [...document.querySelectorAll("*")].some((one) => !["0s", ""].includes(getComputedStyle(one).transitionDuration)));
      assert.equal(moves, false, "something moves though motion is to be reduced");
    }
    assert.notEqual(papers.light, papers.dark);
  }
});
