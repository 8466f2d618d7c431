//! `cumulet top` beside a node that serves: as data, as a table, and on a terminal.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, ensure};
use cumulet_scenarios::admin::Admin;
use cumulet_scenarios::fleet::{App, Fleet};
use cumulet_scenarios::once::{Finished, cumulet};
use cumulet_scenarios::pty::{Left, Pty};
use cumulet_scenarios::server::Server;
use serde_json::{Value, json};

/// What a program writes when it takes the whole terminal, and when it gives it back.
const TAKEN: &str = "\u{1b}[?1049h";
const GIVEN_BACK: &str = "\u{1b}[?1049l";
/// What shows the cursor again.
const CURSOR: &str = "\u{1b}[?25h";

/// A node with an app of each of two tenants.
struct Watched {
    fleet: Fleet,
    server: Server,
}

impl Watched {
    fn open() -> anyhow::Result<Self> {
        let fleet = Fleet::new("[tenant.acme]\n[tenant.other]\n")?;
        let app = |tenant, name: &str| -> anyhow::Result<App> {
            let source = fleet.component("hostile.wasm", name)?;
            Ok(App { tenant, name: name.to_owned(), source, more: "" })
        };
        for end in fleet.deploy(&[app("acme", "shop")?, app("other", "till")?])? {
            ensure!(end.is_ok(), "{end:?}");
        }
        let server = fleet.serve()?;
        let watched = Self { fleet, server };
        // An app that never ran is not shown.
        watched.ask("shop.acme.localhost")?;
        watched.ask("till.other.localhost")?;
        Ok(watched)
    }

    fn ask(&self, host: &str) -> anyhow::Result<()> {
        let mut connection = self.server.connect()?;
        connection.request_to(host, ("GET", "/count"), &[])?;
        let reply = connection.reply("GET")?;
        ensure!(reply.status() == 200, "{}: {}", reply.status(), reply.text());
        Ok(())
    }

    /// `cumulet top` with these flags, which shows the token that the node wrote first.
    fn arguments(&self, more: &[&str]) -> anyhow::Result<Vec<String>> {
        let data = self.fleet.data();
        let own = ["--data-dir", data.to_str().context("a path of text")?];
        Ok(self.named(&[&own, more].concat()))
    }

    fn named(&self, more: &[&str]) -> Vec<String> {
        let node = format!("http://{}", self.server.admin_address());
        ["top", "--node", &node].iter().chain(more).map(|word| (*word).to_owned()).collect()
    }

    /// The same while requests go on.
    fn busy(&self, more: &[&str]) -> anyhow::Result<Finished> {
        let is_over = AtomicBool::new(false);
        let arguments = self.arguments(more)?;
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| -> anyhow::Result<()> {
                while !is_over.load(Ordering::Relaxed) {
                    self.ask("shop.acme.localhost")?;
                }
                Ok(())
            });
            let finished = cumulet(&arguments, b"");
            is_over.store(true, Ordering::Relaxed);
            asking.join().map_err(|_| anyhow::anyhow!("the client panicked"))??;
            finished
        })
    }
}

/// The app of a document.
fn app<'d>(document: &'d Value, name: &str) -> anyhow::Result<&'d Value> {
    let apps = document["apps"].as_array().context("apps")?;
    apps.iter().find(|app| app["app"] == name).with_context(|| format!("{name} in {document}"))
}

#[test]
fn one_document_of_what_happened_in_between() -> anyhow::Result<()> {
    let watched = Watched::open()?;
    let finished = watched.busy(&["--json", "--every", "500ms"])?;
    ensure!(finished.code == Some(0) && finished.stdout.lines().count() == 1, "{finished:?}");
    let document: Value = serde_json::from_str(&finished.stdout)?;
    let (shop, till) = (app(&document, "shop")?, app(&document, "till")?);
    ensure!(shop["requests_per_s"].as_f64().is_some_and(|rate| rate > 0.0), "{document}");
    ensure!(shop["executed_us_per_s"].as_u64() > Some(0) && shop["p99_us"].as_u64() > Some(0), "{document}");
    ensure!(shop["memory_peak_bytes"].as_u64() > Some(0) && shop["cold_starts"] == 1, "{document}");
    ensure!(till["requests_per_s"] == 0.0 && till["requests"] == 1 && till["p99_us"].is_null(), "{document}");
    ensure!(document["interval_us"].as_u64() >= Some(500_000), "{document}");
    ensure!(document["node"]["slots"].as_u64() > Some(0), "{document}");
    Ok(())
}

#[test]
fn one_table_where_there_is_no_terminal() -> anyhow::Result<()> {
    let watched = Watched::open()?;
    let finished = watched.busy(&["--every", "500ms"])?;
    ensure!(finished.code == Some(0) && finished.stderr.is_empty(), "{finished:?}");
    let lines: Vec<Vec<&str>> = finished.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    let firsts: Vec<&str> = lines.iter().filter_map(|line| line.first().copied()).collect();
    ensure!(firsts == ["APP", "acme/shop", "other/till"], "{}", finished.stdout);
    ensure!(!finished.stdout.contains('\u{1b}'), "{:?}", finished.stdout);
    Ok(())
}

#[test]
fn a_tenant_sees_its_own() -> anyhow::Result<()> {
    let watched = Watched::open()?;
    let admin = Admin::first(watched.server.admin_address(), &watched.fleet.data())?;
    let asked = json!({ "name": "watch", "tenant": "acme", "scope": "read" });
    let made = admin.call("POST", "/v1/tokens", Some(&asked))?.expect(201)?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("token");
    std::fs::write(&file, made["secret"].as_str().context("a secret")?)?;
    let token = ["--token-file", file.to_str().context("a path of text")?, "--every", "200ms", "--json"];
    let finished = cumulet(&watched.named(&token), b"")?;
    ensure!(finished.code == Some(0), "{finished:?}");
    let document: Value = serde_json::from_str(&finished.stdout)?;
    app(&document, "shop")?;
    ensure!(document["node"].is_null() && !finished.stdout.contains("till"), "{document}");
    let strange = cumulet(&watched.named(&[&token[..], &["--tenant", "other"]].concat()), b"")?;
    ensure!(strange.code == Some(1) && strange.stdout.is_empty(), "{strange:?}");
    Ok(())
}

/// How a person sees it end: whatever they do, their terminal is as it was.
fn seen(end: impl FnOnce(&mut Pty, Watched) -> anyhow::Result<()>) -> anyhow::Result<Left> {
    let watched = Watched::open()?;
    let mut pty = Pty::start(&watched.arguments(&["--every", "200ms"])?, (80, 24))?;
    pty.until("both apps are shown", |seen| {
        seen.contains(TAKEN) && seen.contains("acme/shop") && seen.contains("other/till")
    })?;
    end(&mut pty, watched)?;
    let left = pty.end()?;
    ensure!(left.code == Some(0), "{left:?}");
    Ok(left)
}

fn is_given_back(left: &Left) -> anyhow::Result<()> {
    let (_, after) = left.seen.rsplit_once(TAKEN).context("it was never taken")?;
    ensure!(after.contains(GIVEN_BACK) && after.contains(CURSOR) && left.is_usable, "{after:?}");
    Ok(())
}

#[test]
fn a_terminal_is_taken_and_given_back() -> anyhow::Result<()> {
    let left = seen(|pty, _watched| {
        pty.types(b"?")?;
        pty.until("help is shown", |seen| seen.contains("estimates"))?;
        pty.resize((110, 30))?;
        pty.types(b"?")?;
        pty.until("there is room for more", |seen| seen.contains("TREND"))?;
        pty.types(b"q")
    })?;
    is_given_back(&left)
}

#[test]
fn whoever_ends_it_gets_the_terminal_back() -> anyhow::Result<()> {
    is_given_back(&seen(|pty, _watched| pty.terminate())?)?;
    is_given_back(&seen(|pty, _watched| pty.types(b"\x03"))?)
}

#[test]
fn a_terminal_that_goes_away_ends_it() -> anyhow::Result<()> {
    seen(|pty, _watched| {
        pty.hang_up();
        Ok(())
    })
    .map(drop)
}

#[test]
fn a_node_that_goes_away_is_told() -> anyhow::Result<()> {
    let left = seen(|pty, watched| {
        watched.server.kill_now()?;
        pty.until("the person is told", |seen| seen.contains("no answer, trying again"))?;
        pty.types(b"q")
    })?;
    is_given_back(&left)
}
