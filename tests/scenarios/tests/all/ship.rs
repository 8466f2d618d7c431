//! Deploys over the admin API: what is asked for is live or is not, and nothing in between, whoever asks and whatever
//! happens meanwhile.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context as _, ensure};
use cumulet_scenarios::admin::{Admin, Answer};
use cumulet_scenarios::fleet::Fleet;
use cumulet_scenarios::once;
use cumulet_scenarios::paths;
use cumulet_scenarios::random::{self, Random};
use cumulet_scenarios::server::Server;
use serde_json::{Value, json};

/// How often the node is killed, unless a variable says otherwise.
const KILLS: u32 = 6;
/// Deploys and rollbacks under load.
const CHANGES: usize = 12;

/// A change of a request.
type Change<'a> = &'a dyn Fn(&mut Value);

/// A node with an admin, and the component that tells its version.
struct Shop {
    fleet: Fleet,
    server: Server,
    admin: Admin,
    component: Vec<u8>,
}

impl Shop {
    fn open() -> anyhow::Result<Self> {
        Self::with("[tenant.acme]\n[tenant.evil]\n")
    }

    fn with(config: &str) -> anyhow::Result<Self> {
        let fleet = Fleet::new(config)?;
        let server = fleet.serve()?;
        let admin = Admin::first(server.admin_address(), &fleet.data())?;
        let component = std::fs::read(paths::guest("stores.wasm")?)?;
        Ok(Self { fleet, server, admin, component })
    }

    /// Kills the node, and starts another on the same folder.
    fn killed(self) -> anyhow::Result<Self> {
        let Self { fleet, server, component, .. } = self;
        server.kill_now()?;
        server.wait()?;
        let server = fleet.serve()?;
        let admin = Admin::first(server.admin_address(), &fleet.data())?;
        Ok(Self { fleet, server, admin, component })
    }

    /// The app `shop` that says this version at `/config?key=version`.
    fn request(&self, version: &str, more: &str) -> anyhow::Result<Value> {
        let digest = self.admin.upload("acme", &self.component)?;
        let manifest = format!(
            "manifest = 1\n[app]\nname = \"shop\"\nversion = \"{version}\"\n{more}\n[component.front]\nsource = \"front.wasm\"\n\
             [component.front.grant]\nconfig = {{ version = \"{version}\" }}\n[[trigger.http]]\nroute = \"/*\"\ncomponent = \"front\"\n"
        );
        Ok(json!({ "manifest": manifest, "components": { "front": digest.to_string() } }))
    }

    fn deploy(&self, version: &str) -> anyhow::Result<Value> {
        self.admin.deploy("acme", "shop", &self.request(version, "")?)
    }

    /// The version that answers.
    fn version(&self, headers: &[&str]) -> anyhow::Result<String> {
        let mut connection = self.server.connect()?;
        connection.request_to("shop.acme.localhost", ("GET", "/config?key=version"), headers)?;
        let reply = connection.reply("GET")?;
        ensure!(reply.status() == 200, "{}: {}", reply.status(), reply.text());
        let text = reply.text();
        let version = text.trim().strip_prefix("get Some(\"").and_then(|rest| rest.strip_suffix("\")"));
        Ok(version.with_context(|| text.clone())?.to_owned())
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn a_deploy_is_live_and_a_rollback_brings_back_what_was() -> anyhow::Result<()> {
    let shop = Shop::open()?;
    let live = shop.deploy("one")?;
    let phases: Vec<&str> =
        live["phases"].as_array().context("phases")?.iter().map(|phase| text(phase, "phase")).collect();
    ensure!(phases == ["received", "compiled", "linked", "probed", "live"], "{phases:?}");
    ensure!(text(&live, "revision") == "r1" && shop.version(&[])? == "one");
    ensure!(text(&shop.deploy("two")?, "revision") == "r2" && shop.version(&[])? == "two");
    let rolled = shop.admin.call("POST", "/v1/tenants/acme/apps/shop/rollback", Some(&json!({})))?.expect(200)?;
    ensure!(rolled["traffic"] == json!([{ "revision": "r1", "percent": 100 }]), "{rolled}");
    ensure!(shop.version(&[])? == "one");
    let to = json!({ "revision": "r2" });
    shop.admin.call("POST", "/v1/tenants/acme/apps/shop/rollback", Some(&to))?.expect(200)?;
    ensure!(shop.version(&[])? == "two");
    // All of it is there after a restart, and nothing is asked for twice.
    let shop = shop.killed()?;
    ensure!(shop.version(&[])? == "two");
    let revisions = shop.admin.call("GET", "/v1/tenants/acme/apps/shop/revisions", None)?.expect(200)?;
    let listed: Vec<(&str, &Value)> = revisions["items"]
        .as_array()
        .context("items")?
        .iter()
        .map(|revision| (text(revision, "revision"), &revision["percent"]))
        .collect();
    ensure!(listed == [("r2", &json!(100)), ("r1", &json!(0))], "{listed:?}");
    shop.admin.call("DELETE", "/v1/tenants/acme/apps/shop", None)?.expect(204)?;
    let mut connection = shop.server.connect()?;
    connection.request_to("shop.acme.localhost", ("GET", "/"), &[])?;
    ensure!(connection.reply("GET")?.status() == 404);
    Ok(())
}

#[test]
fn traffic_goes_where_it_is_led() -> anyhow::Result<()> {
    let shop = Shop::open()?;
    shop.deploy("one")?;
    let mut tenth = shop.request("two", "")?;
    tenth["percent"] = json!(10);
    shop.admin.deploy("acme", "shop", &tenth)?;
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..100 {
        *counts.entry(shop.version(&[])?).or_default() += 1;
    }
    let second = counts.get("two").copied().unwrap_or(0);
    ensure!((8..=12).contains(&second), "{counts:?}");
    let traffic = json!({
        "traffic": [{ "revision": "r1", "percent": 50 }, { "revision": "r2", "percent": 50 }],
        "headers": [{ "name": "x-beta", "value": "yes", "revision": "r2" }],
        "sticky": "shop-revision",
    });
    let place = "/v1/tenants/acme/apps/shop/traffic";
    shop.admin.call("PUT", place, Some(&traffic))?.expect(200)?;
    for _ in 0..10 {
        ensure!(shop.version(&["x-beta: yes"])? == "two");
    }
    let mut connection = shop.server.connect()?;
    connection.request_to("shop.acme.localhost", ("GET", "/config?key=version"), &[])?;
    let reply = connection.reply("GET")?;
    let cookie = reply.header("set-cookie").context("a cookie")?.split(';').next().unwrap_or_default().to_owned();
    let first = if reply.text().contains("one") { "one" } else { "two" };
    for _ in 0..10 {
        ensure!(shop.version(&[&format!("cookie: {cookie}")])? == first);
    }
    for (bad, kind) in [
        (json!({ "traffic": [{ "revision": "r1", "percent": 60 }] }), "invalid"),
        (json!({ "traffic": [{ "revision": "r9", "percent": 100 }] }), "not-found"),
        (json!({ "traffic": [] }), "invalid"),
        (json!({ "traffic": [{ "revision": "r1", "percent": 100 }], "expected_generation": 1 }), "generation"),
    ] {
        let answer = shop.admin.call("PUT", place, Some(&bad))?;
        ensure!(answer.problem() == Some(kind), "{bad}: {answer:?}");
    }
    Ok(())
}

#[test]
fn what_cannot_be_deployed_leaves_what_runs() -> anyhow::Result<()> {
    let shop = Shop::open()?;
    shop.deploy("one")?;
    let place = "/v1/tenants/acme/apps/shop/deploys";
    let with = |change: Change<'_>| -> anyhow::Result<Answer> {
        let mut request = shop.request("two", "")?;
        change(&mut request);
        shop.admin.call("POST", place, Some(&request))
    };
    let replaced = |from: &str, to: &str| {
        let (from, to) = (from.to_owned(), to.to_owned());
        move |request: &mut Value| request["manifest"] = json!(text(request, "manifest").replace(&from, &to))
    };
    let cases: [(&str, Change<'_>); 8] = [
        ("unfit", &replaced("manifest = 1", "manifest = 1\nnonsense = 2")),
        ("invalid", &replaced("name = \"shop\"", "name = \"other\"")),
        ("invalid", &|request| request["components"] = json!({})),
        ("unfit", &|request| request["components"]["front"] = json!(format!("sha256:{}", "0".repeat(64)))),
        ("invalid", &replaced("version = \"two\" }", "version = { env = \"PATH\" } }")),
        ("unfit", &replaced("config = {", "file = [{ from = \"/etc\", at = \"/etc\" }]\nconfig = {")),
        ("grants-gained", &replaced("config = {", "http = [\"https://example.com\"]\nconfig = {")),
        ("forbidden", &replaced("route = \"/*\"", "route = \"/*\"\nhost = \"evil.example.com\"")),
    ];
    for (number, (kind, change)) in cases.iter().enumerate() {
        let answer = with(change)?;
        ensure!(answer.problem() == Some(kind), "case {number}: {answer:?}");
        ensure!(!text(&answer.body, "detail").is_empty() && !text(&answer.body, "next").is_empty(), "{answer:?}");
    }
    // What is only found out by trying it ends as failed, and says where.
    for (more, phase, says) in [
        ("[app.probe]\npath = \"/config?key=version\"\nstatus = \"3xx\"", "probed", "with 200"),
        ("[app.probe]\npath = \"/config?key=version\"\nstatus = [404, \"5xx\"]", "probed", "/config?key=version"),
    ] {
        let begun = shop.admin.begin("acme", "shop", &shop.request("two", more)?)?;
        let ended = shop.admin.ended(&begun)?;
        let failure = &ended["failure"];
        ensure!(text(&ended, "phase") == "failed" && text(failure, "phase") == phase, "{ended}");
        ensure!(text(failure, "message").contains(says) && !text(failure, "next").is_empty(), "{ended}");
    }
    let digest = shop.admin.upload("acme", b"no component at all")?;
    let mut request = shop.request("two", "")?;
    request["components"]["front"] = json!(digest.to_string());
    let ended = shop.admin.ended(&shop.admin.begin("acme", "shop", &request)?)?;
    ensure!(text(&ended["failure"], "phase") == "compiled", "{ended}");
    ensure!(shop.version(&[])? == "one");
    Ok(())
}

#[test]
fn no_token_reaches_what_is_not_its_own() -> anyhow::Result<()> {
    let shop = Shop::open()?;
    shop.deploy("one")?;
    let make = |tenant: &str, scope: &str| -> anyhow::Result<Admin> {
        let asked = json!({ "name": format!("{scope} of {tenant}"), "tenant": tenant, "scope": scope });
        let made = shop.admin.call("POST", "/v1/tokens", Some(&asked))?.expect(201)?;
        Ok(shop.admin.with(Some(text(&made, "secret"))))
    };
    let own: Vec<(&str, Admin)> = ["read", "deploy", "admin"]
        .into_iter()
        .map(|scope| Ok((scope, make("acme", scope)?)))
        .collect::<anyhow::Result<_>>()?;
    let strange: Vec<(&str, Admin)> = ["read", "deploy", "admin"]
        .into_iter()
        .map(|scope| Ok((scope, make("evil", scope)?)))
        .collect::<anyhow::Result<_>>()?;
    let document = shop.admin.with(None).call("GET", "/v1/openapi.json", None)?.expect(200)?;
    let mut tried = 0;
    for (path, methods) in document["paths"].as_object().context("paths")? {
        if path == "/v1/openapi.json" {
            continue;
        }
        for method in methods.as_object().context("methods")?.keys().filter(|key| *key != "parameters") {
            let method = method.to_uppercase();
            let nobody = shop.admin.with(None).call(&method, path, None)?;
            // Who asks often without one is told to wait.
            ensure!(matches!(nobody.status, 401 | 429), "{method} {path} without a token: {nobody:?}");
            // The same request about what is there, and about what nobody has.
            let of = |tenant: &str, app: &str| path.replace("{tenant}", tenant).replace("{app}", app);
            let fill = |path: String| {
                path.replace("{digest}", &format!("sha256:{}", "1".repeat(64)))
                    .replace("{id}", "abcdefgh12345678")
                    .replace("{revision}", "r1")
            };
            for (scope, admin) in &strange {
                let there = admin.call(&method, &fill(of("acme", "shop")), Some(&json!({})))?;
                if !path.contains("{tenant}") {
                    ensure!(there.status != 500, "{method} {path} with {scope} of another tenant: {there:?}");
                    ensure!(
                        !there.body.to_string().contains("acme"),
                        "{method} {path} tells of another tenant: {there:?}"
                    );
                    continue;
                }
                let nowhere = admin.call(&method, &fill(of("nobody", "shop")), Some(&json!({})))?;
                let hidden = |answer: &Answer| answer.body.to_string().replace("acme", "T").replace("nobody", "T");
                ensure!(hidden(&there) == hidden(&nowhere), "{method} {path} tells {scope}: {there:?} {nowhere:?}");
                ensure!(matches!(there.status, 400 | 403 | 404), "{method} {path} with {scope}: {there:?}");
                tried += 1;
            }
            for (scope, admin) in &own {
                let answer = admin.call(&method, &fill(of("acme", "no-such-app")), Some(&json!({})))?;
                ensure!(answer.status != 401 && answer.status < 500, "{method} {path} with {scope}: {answer:?}");
                if *scope == "read" && method != "GET" {
                    ensure!(matches!(answer.status, 400 | 403 | 404), "{method} {path} with read: {answer:?}");
                }
            }
        }
    }
    ensure!(tried >= 30, "only {tried} requests were tried");
    ensure!(shop.version(&[])? == "one");
    Ok(())
}

#[test]
fn tokens_end_and_failures_are_noted() -> anyhow::Result<()> {
    let shop = Shop::open()?;
    let asked = json!({ "name": "ci", "tenant": "acme", "scope": "deploy" });
    let made = shop.admin.call("POST", "/v1/tokens", Some(&asked))?.expect(201)?;
    let ci = shop.admin.with(Some(text(&made, "secret")));
    let who = ci.call("GET", "/v1/whoami", None)?.expect(200)?;
    ensure!(text(&who, "scope") == "deploy" && text(&who, "tenant") == "acme", "{who}");
    let more = json!({ "name": "more", "tenant": "acme", "scope": "admin" });
    ensure!(ci.call("POST", "/v1/tokens", Some(&more))?.problem() == Some("forbidden"));
    let listed = shop.admin.call("GET", "/v1/tokens?tenant=acme", None)?.expect(200)?;
    ensure!(!listed.to_string().contains(text(&made, "secret")), "a list shows a secret");
    shop.admin.call("DELETE", &format!("/v1/tokens/{}", text(&made, "id")), None)?.expect(204)?;
    ensure!(ci.call("GET", "/v1/whoami", None)?.problem() == Some("unauthorized"));
    let first = shop.admin.call("GET", "/v1/whoami", None)?.expect(200)?;
    let last = shop.admin.call("DELETE", &format!("/v1/tokens/{}", text(&first, "id")), None)?;
    ensure!(last.problem() == Some("conflict"), "{last:?}");
    // What was refused is noted with whom, and what was done as well.
    let audit = shop.admin.call("GET", "/v1/audit", None)?.expect(200)?.to_string();
    for noted in ["POST /v1/tokens", "\"outcome\":\"denied\"", "token.make", "token.remove", "token.use"] {
        ensure!(audit.contains(noted), "the audit log has no {noted}: {audit}");
    }
    // Whoever guesses gets slower, whoever knows does not need to.
    let mut limited = false;
    for _ in 0..64 {
        limited |=
            shop.admin.with(Some("cumulet_guess")).call("GET", "/v1/whoami", None)?.problem() == Some("too-many");
    }
    ensure!(limited, "nobody was told to wait");
    Ok(())
}

#[test]
fn the_bytes_of_one_tenant_are_nothing_to_another() -> anyhow::Result<()> {
    let shop = Shop::open()?;
    let digest = shop.admin.upload("acme", &shop.component)?;
    let place = |tenant: &str| format!("/v1/tenants/{tenant}/blobs/{digest}");
    ensure!(shop.admin.call("GET", &place("acme"), None)?.body["complete"] == json!(true));
    ensure!(shop.admin.call("GET", &place("evil"), None)?.problem() == Some("not-found"));
    let request = shop.request("one", "")?;
    let stolen = shop.admin.call("POST", "/v1/tenants/evil/apps/shop/deploys", Some(&request))?;
    ensure!(stolen.problem() == Some("unfit"), "{stolen:?}");
    let bytes = b"0123456789";
    let digest = cumulet_spec::id::Digest::of(bytes);
    let place = format!("/v1/tenants/acme/blobs/{digest}");
    let send = |offset: usize, piece: &[u8]| {
        let at = format!("upload-offset: {offset}");
        shop.admin.send(("PATCH", &place), piece, &[&at, "upload-length: 10"])
    };
    send(0, &bytes[..4])?.expect(200)?;
    ensure!(send(0, &bytes[..4])?.problem() == Some("upload"));
    ensure!(shop.admin.call("GET", &place, None)?.body["offset"] == json!(4));
    ensure!(send(4, b"xxxxxx")?.problem() == Some("upload"), "other bytes were taken");
    ensure!(shop.admin.call("GET", &place, None)?.problem() == Some("not-found"), "wrong bytes were kept");
    send(0, &bytes[..4])?.expect(200)?;
    ensure!(send(4, &bytes[4..])?.body["complete"] == json!(true));
    Ok(())
}

#[test]
fn where_signatures_are_demanded_nobody_else_deploys() -> anyhow::Result<()> {
    let keys = tempfile::tempdir()?;
    let key = |name: &str| -> anyhow::Result<(String, String)> {
        let path = keys.path().join(name).display().to_string();
        let made = once::cumulet(&["key", "new", "--out", &path, "--json"], b"")?;
        let line: Value = serde_json::from_str(&made.stdout)?;
        Ok((path, text(&line, "key").to_owned()))
    };
    let ((own, public), (other, _)) = (key("own")?, key("other")?);
    let config = format!("[tenant.acme]\nkeys = [{public:?}]\nsignatures = \"required\"\n");
    let shop = Shop::with(&config)?;
    let mut request = shop.request("one", "")?;
    let app = tempfile::tempdir()?;
    std::fs::write(app.path().join("cumulet.toml"), text(&request, "manifest"))?;
    std::fs::write(app.path().join("front.wasm"), &shop.component)?;
    let signed = |key: &str| -> anyhow::Result<Value> {
        let folder = app.path().display().to_string();
        let done = once::cumulet(&["sign", &folder, "--key", key], b"")?;
        ensure!(done.code == Some(0), "{done:?}");
        Ok(json!(std::fs::read_to_string(app.path().join("cumulet.sig"))?))
    };
    let place = "/v1/tenants/acme/apps/shop/deploys";
    let refused = |request: &Value, says: &str| -> anyhow::Result<()> {
        let answer = shop.admin.call("POST", place, Some(request))?;
        ensure!(answer.problem() == Some("forbidden"), "{says}: {answer:?}");
        Ok(())
    };
    refused(&request, "no signature")?;
    request["signature"] = signed(&other)?;
    refused(&request, "a key of somebody else")?;
    request["signature"] = signed(&own)?;
    let mut changed = request.clone();
    changed["manifest"] = json!(format!("{}\n", text(&request, "manifest")));
    refused(&changed, "another manifest")?;
    shop.admin.deploy("acme", "shop", &request)?;
    ensure!(shop.version(&[])? == "one");
    Ok(())
}

#[test]
fn a_kill_leaves_the_old_or_the_new_revision() -> anyhow::Result<()> {
    let (kills, seed) = (random::kills(KILLS), random::seed());
    println!("CUMULET_KILLS={kills} CUMULET_SEED={seed}");
    let mut random = Random::new(seed);
    let mut shop = Shop::open()?;
    shop.deploy("v0")?;
    for number in 1..=kills {
        let (old, new) = (shop.version(&[])?, format!("v{number}"));
        let begun = shop.admin.begin("acme", "shop", &shop.request(&new, "")?)?;
        // Somewhere among its phases, or after them.
        for _ in 0..random.below(4) {
            shop.admin.call("GET", "/v1/tenants/acme/apps/shop", None)?.expect(200)?;
        }
        shop = shop.killed()?;
        let now = shop.version(&[])?;
        ensure!(now == old || now == new, "{now} answers, which is neither {old} nor {new}");
        // What was begun goes on by itself.
        let ended = shop.admin.ended(&begun)?;
        ensure!(text(&ended, "phase") == "live", "{ended}");
        ensure!(shop.version(&[])? == new);
    }
    Ok(())
}

#[test]
fn no_request_is_lost_while_revisions_change() -> anyhow::Result<()> {
    let shop = Shop::open()?;
    shop.deploy("v0")?;
    let (stop, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|threads| -> anyhow::Result<()> {
        let ask = || -> anyhow::Result<()> {
            while !stop.load(Ordering::Relaxed) {
                shop.version(&[])?;
                answered.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        };
        let askers: Vec<_> = (0..2).map(|_| threads.spawn(ask)).collect();
        let change = || -> anyhow::Result<()> {
            for number in 1..=CHANGES {
                if number % 3 == 0 {
                    shop.admin.call("POST", "/v1/tenants/acme/apps/shop/rollback", Some(&json!({})))?.expect(200)?;
                } else {
                    shop.deploy(&format!("v{number}"))?;
                }
            }
            Ok(())
        };
        let changed = change();
        stop.store(true, Ordering::Relaxed);
        for asker in askers {
            asker.join().map_err(|_| anyhow::anyhow!("an asker panicked"))??;
        }
        changed
    })?;
    ensure!(answered.load(Ordering::Relaxed) > 0);
    Ok(())
}
