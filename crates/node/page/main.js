// The page: who is signed in, and which view is shown.

import { app } from "./app.js";
import { apps } from "./apps.js";
import { Client } from "./client.js";
import { complain, fill, h } from "./dom.js";
import { Live } from "./live.js";
import { signIn } from "./signin.js";

const PARTS = ["", "logs", "usage", "grants", "deploys"];

const top = document.getElementById("top");
const main = document.getElementById("main");
const client = new Client();
const live = new Live(client);
let who = null;
let tenants = [];
let chosen = null;
let gone = new AbortController();

/** What the address asks for: `#/app/TENANT/APP/PART?query`. */
function asked() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const names = path.split("/").map((name) => { try { return decodeURIComponent(name); } catch { return ""; } });
  const part = PARTS.includes(names[3] ?? "") ? names[3] ?? "" : "";
  return names[0] === "app" && names[1] && names[2] ? { app: { tenant: names[1], app: names[2] }, part, query: new URLSearchParams(query) } : { app: null };
}

function clear() {
  gone.abort();
  gone = new AbortController();
}

function show() {
  if (!who) return;
  const had = main.contains(document.activeElement) || document.activeElement?.classList.contains("skip");
  clear();
  const context = { client, live, who, signal: gone.signal, tenants: () => (chosen ? [chosen] : tenants), ...asked() };
  const view = context.app ? app(context) : apps(context);
  fill(main, view.element);
  document.title = `${view.title} · cumulet`;
  scrollTo(0, 0);
  // Whoever went by keyboard goes on in the new view.
  if (had) main.focus({ preventScroll: true });
}

function bar(node) {
  const choose = () => {
    chosen = pick.value.trim() || null;
    live.start(chosen);
    if (asked().app) location.hash = "#/";
    else show();
  };
  // A tenant of the node's file is in no list: its name can be typed.
  const pick = h("input", { class: "pick", type: "search", list: "tenants", placeholder: "all tenants", "aria-label": "Tenant", value: chosen ?? "", change: choose });
  const known = h("datalist", { id: "tenants" }, tenants.map((tenant) => h("option", { value: tenant })));
  fill(top, h("a", { class: "brand", href: "#/" }, h("img", { src: "/ui/icon.svg", alt: "", width: 26, height: 26 }), "cumulet", h("small", {}, `${node.name} · ${node.version}`)),
    h("span", { class: "right" }, who.tenant ? h("span", { class: "who" }, who.tenant) : [pick, known], h("span", { class: "who", title: `token ${who.id}` }, `${who.name} · ${who.scope}`),
      h("button", { type: "button", click: () => client.signOut().catch(() => {}) }, "Sign out")));
}

async function enter(known) {
  who = known;
  const node = await client.get("/v1");
  if (who.tenant) tenants = [who.tenant];
  else {
    const made = await client.all("/v1/tenants", 1000).catch(() => ({ items: [] }));
    tenants = [...new Set(["local", ...made.items.map((item) => item.tenant)])].sort();
  }
  live.start(chosen);
  bar(node);
  show();
  // Tenants of the node's file are known by what ran.
  live.addEventListener("sample", () => {
    const ran = live.apps.map((one) => one.tenant).filter((tenant) => !tenants.includes(tenant));
    if (ran.length === 0 || who?.tenant) return;
    tenants = [...new Set([...tenants, ...ran])].sort();
    if (!top.contains(document.activeElement)) bar(node);
  }, { signal: session.signal });
}

let session = new AbortController();

function gate() {
  session.abort();
  session = new AbortController();
  live.stop();
  clear();
  who = null;
  fill(top);
  document.title = "Sign in · cumulet";
  const form = signIn(client, (known) => enter(known).catch(complain));
  fill(main, form.element);
  form.focus();
}

client.addEventListener("signed-out", gate);
addEventListener("hashchange", show);
// Another tab signed in or out.
addEventListener("storage", (event) => { if (event.key === "cumulet-proof") location.reload(); });
document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });

if (client.isSignedIn) client.get("/v1/whoami").then(enter).catch((problem) => { if (problem.status !== 401) { gate(); complain(problem); } });
else gate();
