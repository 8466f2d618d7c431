//! What can be watched over the admin API: logs that are waited for, usage, revisions in full.

use anyhow::{Context as _, ensure};
use cumulet_scenarios::admin::{Admin, Answer};
use cumulet_scenarios::fleet::{App, Fleet};
use cumulet_scenarios::follow::Follower;
use cumulet_scenarios::once::cumulet;
use cumulet_scenarios::patience::until;
use cumulet_scenarios::server::Server;
use serde_json::{Value, json};

/// Requests for one tenant that may wait at once.
const TENANT_WAITERS_MAX: usize = 64;

/// A node with an app of acme's, and one of evil's that never had a request.
struct Place {
    fleet: Fleet,
    server: Server,
    admin: Admin,
}

impl Place {
    fn open() -> anyhow::Result<Self> {
        let fleet = Fleet::new("[tenant.acme]\n[tenant.evil]\n")?;
        let source = fleet.component("hostile.wasm", "observed")?;
        let more = "limit = { cpu = \"100ms\" }\ngrant = { http = [\"https://api.example.com\"], config = { level = \"info\" } }";
        let app = |tenant, name: &str| App { tenant, name: name.to_owned(), source: source.clone(), more };
        for end in fleet.deploy(&[app("acme", "shop"), app("evil", "bank")])? {
            ensure!(end.is_ok(), "{end:?}");
        }
        let server = fleet.serve()?;
        let admin = Admin::first(server.admin_address(), &fleet.data())?;
        Ok(Self { fleet, server, admin })
    }

    /// A request to the shop.
    fn ask(&self, path: &str, id: &str) -> anyhow::Result<u16> {
        let mut connection = self.server.connect()?;
        connection.request_to("shop.acme.localhost", ("GET", path), &[&format!("x-request-id: {id}")])?;
        Ok(connection.reply("GET")?.status())
    }

    fn logs(&self, query: &str) -> anyhow::Result<Value> {
        self.admin.call("GET", &format!("/v1/tenants/acme/apps/shop/logs?{query}"), None)?.expect(200)
    }

    /// Waits until a request's end is in the log.
    fn logged(&self, id: &str) -> anyhow::Result<()> {
        until("the end of a request is in the log", || {
            let found = self.logs(&format!("request={id}"))?;
            Ok(items(&found)?.iter().any(|entry| text(entry, "event") == "invocation"))
        })
    }

    fn token(&self, tenant: &str, scope: &str) -> anyhow::Result<(Admin, String)> {
        let asked = json!({ "name": format!("{scope} of {tenant}"), "tenant": tenant, "scope": scope });
        let made = self.admin.call("POST", "/v1/tokens", Some(&asked))?.expect(201)?;
        let secret = text(&made, "secret").to_owned();
        Ok((self.admin.with(Some(&secret)), secret))
    }

    /// The same command to the node, and in its folder.
    fn both(&self, arguments: &[&str]) -> anyhow::Result<[String; 2]> {
        let (node, data) = (format!("http://{}", self.server.admin_address()), self.fleet.data());
        let data = data.to_str().context("a path of text")?;
        let run = |more: &[&str]| -> anyhow::Result<String> {
            let finished = cumulet(&[arguments, more].concat(), b"")?;
            ensure!(finished.code == Some(0), "{arguments:?} {more:?}: {}", finished.stderr);
            Ok(finished.stdout)
        };
        Ok([run(&["--node", &node, "--data-dir", data])?, run(&["--data-dir", data])?])
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// What an answer says, whichever of the two it is about.
fn as_of_nobody(answer: &Answer) -> String {
    answer.body.to_string().replace("acme", "nobody")
}

fn items(page: &Value) -> anyhow::Result<&Vec<Value>> {
    page["items"].as_array().with_context(|| format!("a part of a log has items: {page}"))
}

#[test]
fn who_waits_is_told_of_what_comes() -> anyhow::Result<()> {
    let place = Place::open()?;
    // Deployed, and without a log: there is nothing, and nothing to go on from.
    let empty = place.logs("")?;
    ensure!(items(&empty)?.is_empty() && empty["is_end"] == json!(true) && empty.get("cursor").is_none(), "{empty}");
    std::thread::scope(|threads| -> anyhow::Result<()> {
        let waiting = threads.spawn(|| place.logs("wait_s=30"));
        ensure!(place.ask("/log?line=first", "first")? == 200);
        let first = waiting.join().map_err(|_panic| anyhow::anyhow!("who waits panicked"))??;
        ensure!(!items(&first)?.is_empty() && !text(&first, "cursor").is_empty(), "{first}");
        Ok(())
    })?;
    place.logged("first")?;
    let last = place.logs("last=true&limit=1")?;
    let newest = items(&last)?;
    ensure!(newest.len() == 1 && text(&newest[0], "event") == "invocation", "{last}");
    // What is not asked for wakes nobody: only the end of the request that trapped is told.
    let cursor = text(&last, "cursor").to_owned();
    std::thread::scope(|threads| -> anyhow::Result<()> {
        let waiting = threads.spawn(|| place.logs(&format!("after={cursor}&outcome=trap&wait_s=30")));
        ensure!(place.ask("/log?line=second", "second")? == 200);
        ensure!(place.ask("/panic", "trapped")? == 500);
        let told = waiting.join().map_err(|_panic| anyhow::anyhow!("who waits panicked"))??;
        let ids: Vec<&str> = items(&told)?.iter().map(|entry| text(entry, "request_id")).collect();
        ensure!(ids == ["trapped"], "{told}");
        Ok(())
    })?;
    // Who goes on part by part sees everything once.
    place.logged("trapped")?;
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = place.logs(&format!("limit=2{after}"))?;
        ensure!(items(&page)?.len() <= 2, "{page}");
        seen.extend(items(&page)?.clone());
        if page["is_end"] == json!(true) {
            break;
        }
        after = format!("&after={}", text(&page, "cursor"));
    }
    ensure!(seen == *items(&place.logs("limit=1000")?)?, "parts are not the whole");
    place.server.stop()
}

#[test]
fn a_wait_ends_with_the_node_and_waits_are_bounded() -> anyhow::Result<()> {
    let place = Place::open()?;
    let wait =
        |seconds: u64| place.admin.call("GET", &format!("/v1/tenants/acme/apps/shop/logs?wait_s={seconds}"), None);
    // Whoever looks whether there is room takes it for a moment.
    let patient = || -> anyhow::Result<Value> {
        loop {
            let answer = wait(30)?;
            if answer.problem() != Some("busy") {
                return answer.expect(200);
            }
        }
    };
    std::thread::scope(|threads| -> anyhow::Result<()> {
        let waiting: Vec<_> = (0..TENANT_WAITERS_MAX).map(|_| threads.spawn(patient)).collect();
        until("no more may wait", || Ok(wait(1)?.problem() == Some("busy")))?;
        // Who does not wait is answered, and so is another tenant.
        place.logs("")?;
        place.admin.call("GET", "/v1/tenants/evil/apps/bank/logs?wait_s=1", None)?.expect(200)?;
        place.server.terminate()?;
        for waiter in waiting {
            let page = waiter.join().map_err(|_panic| anyhow::anyhow!("who waits panicked"))??;
            ensure!(items(&page)?.is_empty(), "{page}");
        }
        Ok(())
    })?;
    let status = place.server.wait()?;
    ensure!(status.success(), "{status}");
    Ok(())
}

#[test]
fn a_log_is_its_tenants_also_without_the_app() -> anyhow::Result<()> {
    let place = Place::open()?;
    ensure!(place.ask("/log?line=secret", "one")? == 200);
    place.logged("one")?;
    let (acme, _) = place.token("acme", "read")?;
    let (evil, _) = place.token("evil", "admin")?;
    place.admin.call("DELETE", "/v1/tenants/acme/apps/shop", None)?.expect(204)?;
    let left = acme.call("GET", "/v1/tenants/acme/apps/shop/logs?request=one", None)?.expect(200)?;
    ensure!(items(&left)?.len() == 4, "{left}");
    let missing = acme.call("GET", "/v1/tenants/acme/apps/shpo/logs", None)?;
    ensure!(missing.problem() == Some("not-found") && text(&missing.body, "next").contains("`shop`"), "{missing:?}");
    // A name of another tenant's is suggested to nobody.
    let near = evil.call("GET", "/v1/tenants/evil/apps/shpo/logs", None)?;
    ensure!(near.problem() == Some("not-found") && !near.body.to_string().contains("shop"), "{near:?}");
    for query in ["", "?wait_s=1", "?request=one", "?last=true", "?after=1-2-3"] {
        let at = |tenant: &str| format!("/v1/tenants/{tenant}/apps/shop/logs{query}");
        let (there, nowhere) = (evil.call("GET", &at("acme"), None)?, evil.call("GET", &at("nobody"), None)?);
        ensure!(there.status == 404 && as_of_nobody(&there) == as_of_nobody(&nowhere), "{there:?} {nowhere:?}");
    }
    for bad in [
        "limit=0",
        "limit=1001",
        "wait_s=31",
        "after=x",
        "outcome=oops",
        "request=a/b",
        "last=true&after=1-2-3",
        "other=1",
    ] {
        let answer = acme.call("GET", &format!("/v1/tenants/acme/apps/shop/logs?{bad}"), None)?;
        ensure!(answer.problem() == Some("invalid") && !text(&answer.body, "detail").is_empty(), "{bad}: {answer:?}");
    }
    place.server.stop()
}

#[test]
fn usage_is_the_same_from_the_node_and_from_its_folder() -> anyhow::Result<()> {
    let place = Place::open()?;
    for number in 0..20 {
        ensure!(place.ask("/log?line=x", &format!("ok-{number}"))? == 200);
    }
    ensure!(place.ask("/panic", "trapped")? == 500);
    until("the ledger has all of it", || {
        let total = &place.fleet.usage()?["total"]["billed"]["requests"];
        Ok(*total == json!(21))
    })?;
    // "As of" stands still on a node at rest.
    until("two looks are one", || {
        let [node, folder] = place.both(&["usage", "--json", "--by", "tenant,app,revision,outcome", "--compare"])?;
        Ok(node == folder)
    })?;
    for arguments in
        [&["usage", "shop", "--since", "2020-01-01", "--until", "2100-01-01"][..], &["usage", "--tenant", "acme"]]
    {
        let [node, folder] = place.both(arguments)?;
        ensure!(node == folder && node.contains("acme"), "{node}\n{folder}");
    }
    let (acme, _) = place.token("acme", "read")?;
    let (evil, _) = place.token("evil", "admin")?;
    let own = acme.call("GET", "/v1/usage?by=tenant,outcome", None)?.expect(200)?;
    ensure!(own["rows"].as_array().context("rows")?.len() == 2 && own.to_string().contains("acme"), "{own}");
    // What is there and used nothing has an empty report; names of others are in none.
    let nothing = evil.call("GET", "/v1/usage", None)?.expect(200)?;
    ensure!(nothing["rows"] == json!([]) && nothing["total"]["billed"]["requests"] == json!(0), "{nothing}");
    let unused = evil.call("GET", "/v1/usage?app=bank", None)?.expect(200)?;
    ensure!(unused["rows"] == json!([]), "{unused}");
    for path in ["/v1/usage?app=shpo", "/v1/usage?app=shop"] {
        let answer = evil.call("GET", path, None)?;
        let said = answer.body.to_string();
        ensure!(answer.problem() == Some("not-found") && !said.contains("acme") && !said.contains("mean"), "{said}");
    }
    let (there, nowhere) =
        (evil.call("GET", "/v1/usage?tenant=acme", None)?, evil.call("GET", "/v1/usage?tenant=nobody", None)?);
    ensure!(there.status == 404 && as_of_nobody(&there) == as_of_nobody(&nowhere), "{there:?} {nowhere:?}");
    for bad in ["by=minute", "since_us=60000000&until_us=60000001", "compare=2", "tenant=Acme", "other=1"] {
        let answer = acme.call("GET", &format!("/v1/usage?{bad}"), None)?;
        ensure!(answer.problem() == Some("invalid"), "{bad}: {answer:?}");
    }
    place.server.stop()
}

#[test]
fn a_revision_is_shown_in_full_and_without_its_values() -> anyhow::Result<()> {
    let place = Place::open()?;
    let at = |revision: &str| format!("/v1/tenants/acme/apps/shop/revisions/{revision}");
    let detail = place.admin.call("GET", &at("r1"), None)?.expect(200)?;
    let component = &detail["components"][0];
    ensure!(text(&detail, "revision") == "r1" && detail["percent"] == json!(100), "{detail}");
    ensure!(
        component["limits"]["cpu"] == json!("100ms") && component["limits"]["memory"] == json!("128MiB"),
        "{detail}"
    );
    ensure!(component["bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{detail}");
    let grants = json!([
        { "capability": "http", "entry": "https://api.example.com" },
        { "capability": "config", "entry": "level" },
    ]);
    ensure!(component["grants"] == grants && !detail.to_string().contains("info"), "{detail}");
    ensure!(detail["routes"] == json!(["/* -> main"]), "{detail}");
    let by_digest = place.admin.call("GET", &at(text(&detail, "digest")), None)?.expect(200)?;
    ensure!(by_digest == detail);
    for unknown in ["r2", "x", "sha256:0000000000000000000000000000000000000000000000000000000000000000"] {
        ensure!(place.admin.call("GET", &at(unknown), None)?.problem() == Some("not-found"), "{unknown}");
    }
    place.server.stop()
}

#[test]
fn the_command_shows_the_same_from_the_node_and_from_its_folder() -> anyhow::Result<()> {
    let place = Place::open()?;
    ensure!(place.ask("/log?line=before", "before")? == 200);
    place.logged("before")?;
    // Whose it is follows from the app's name where one tenant alone has it, once the ledger knows.
    until("the ledger knows the app", || Ok(!place.fleet.usage()?["rows"].as_array().context("rows")?.is_empty()))?;
    for arguments in [
        &["logs", "shop"][..],
        &["logs", "shop", "--json", "--tenant", "acme"],
        &["logs", "shop", "--limit", "2"],
        &["logs", "shop", "--limit", "100000"],
        &["logs", "shop", "--since", "1h", "--component", "main"],
        &["logs", "shop", "--request", "before"],
        &["logs", "shop", "--outcome", "trap"],
    ] {
        let [node, folder] = place.both(arguments)?;
        ensure!(node == folder, "{arguments:?}:\n{node}\n{folder}");
    }
    let (_, secret) = place.token("acme", "read")?;
    let file = place.fleet.data().join("read.token");
    std::fs::write(&file, secret)?;
    let node = format!("http://{}", place.server.admin_address());
    let file = file.to_str().context("a path in UTF-8")?;
    let follower = Follower::start("shop", &["--node", &node, "--token-file", file])?;
    follower.wait_for_end("before")?;
    ensure!(place.ask("/log?line=after", "after")? == 200);
    follower.wait_for_end("after")?;
    let lines = follower.lines();
    ensure!(lines.len() == 5, "one entry from before, four that came: {lines:?}");
    place.server.stop()
}
