//! A revision that passes the bounds of its manifest is taken back by the node itself, and no other is.

use anyhow::{Context as _, ensure};
use cumulet_scenarios::admin::Admin;
use cumulet_scenarios::fleet::Fleet;
use cumulet_scenarios::paths;
use cumulet_scenarios::patience::until;
use cumulet_scenarios::server::Server;
use serde_json::{Value, json};

/// How often it is looked whether something has become so: each look is a request to the node.
const LOOKS_MAX: u32 = 20_000;
/// At most a tenth may fail, of 20 and more.
const ERRORS: &str = "[app.rollout]\nerrors = \"10%\"\nrequests = 20\nwindow = \"1h\"";
/// At most one of a hundred may take longer than 20 ms.
const SLOW: &str = "[app.rollout]\np99 = \"20ms\"\nrequests = 20\nwindow = \"1h\"";
/// Over within a second.
const SHORT: &str = "[app.rollout]\nerrors = \"10%\"\nrequests = 20\nwindow = \"1s\"";

/// A node, and an app that fails when it is asked to.
struct Shop {
    fleet: Fleet,
    server: Server,
    admin: Admin,
}

impl Shop {
    fn open() -> anyhow::Result<Self> {
        let fleet = Fleet::new("[tenant.acme]\n")?;
        let server = fleet.serve()?;
        let admin = Admin::first(server.admin_address(), &fleet.data())?;
        Ok(Self { fleet, server, admin })
    }

    fn restarted(self) -> anyhow::Result<Self> {
        let Self { fleet, server, .. } = self;
        server.kill_now()?;
        server.wait()?;
        let server = fleet.serve()?;
        let admin = Admin::first(server.admin_address(), &fleet.data())?;
        Ok(Self { fleet, server, admin })
    }

    fn deploy(&self, (version, bounds): (&str, &str), percent: Option<u8>) -> anyhow::Result<()> {
        let digest = self.admin.upload("acme", &std::fs::read(paths::guest("hostile.wasm")?)?)?;
        let manifest = format!(
            "manifest = 1\n[app]\nname = \"shop\"\nversion = \"{version}\"\n[app.probe]\npath = \"/count\"\n{bounds}\n\
             [component.front]\nsource = \"front.wasm\"\n[[trigger.http]]\nroute = \"/*\"\ncomponent = \"front\"\n"
        );
        let request = json!({
            "manifest": manifest,
            "components": { "front": digest.to_string() },
            "percent": percent,
        });
        self.admin.deploy("acme", "shop", &request)?;
        Ok(())
    }

    fn get(&self, path: &str) -> anyhow::Result<u16> {
        let mut connection = self.server.connect()?;
        connection.request_to("shop.acme.localhost", ("GET", path), &[])?;
        Ok(connection.reply("GET")?.status())
    }

    /// Asks for what fails, and waits until the node has counted it: whoever judges has seen it then.
    fn fails(&self, revision: &str, times: u64) -> anyhow::Result<()> {
        let before = self.errors(revision)?;
        (0..times).try_for_each(|_| self.get("/panic").map(|_status| ()))?;
        until("the failures are counted", || Ok(self.errors(revision)? == before + times))
    }

    /// How many requests of a revision failed since the node started.
    fn errors(&self, revision: &str) -> anyhow::Result<u64> {
        let live = self.admin.call("GET", "/v1/live", None)?.expect(200)?;
        let apps = live.get("apps").and_then(Value::as_array).context("apps")?.iter();
        let revisions = apps.flat_map(|app| app.get("revisions").and_then(Value::as_array).into_iter().flatten());
        let of_it = revisions.filter(|one| one.get("revision").and_then(Value::as_str) == Some(revision));
        let found = of_it.map(|one| one.get("errors").and_then(Value::as_u64));
        found.sum::<Option<u64>>().context("errors")
    }

    fn traffic(&self) -> anyhow::Result<Value> {
        let app = self.admin.call("GET", "/v1/tenants/acme/apps/shop", None)?.expect(200)?;
        Ok(app.get("traffic").cloned().unwrap_or_default())
    }

    /// How the trial of a revision stands.
    fn trial(&self, revision: &str) -> anyhow::Result<Value> {
        let page = self.admin.call("GET", "/v1/tenants/acme/apps/shop/revisions", None)?.expect(200)?;
        let mut all = page.get("items").and_then(Value::as_array).context("items")?.iter();
        let found = all.find(|one| one.get("revision").and_then(Value::as_str) == Some(revision));
        Ok(found.context("no such revision")?.get("trial").cloned().unwrap_or_default())
    }

    /// Looks until a trial is over, with a request of this path before each look.
    fn judged(&self, revision: &str, path: Option<&str>) -> anyhow::Result<Value> {
        for _ in 0..LOOKS_MAX {
            path.map_or(Ok(200), |path| self.get(path))?;
            let trial = self.trial(revision)?;
            if trial != json!("open") {
                return Ok(trial);
            }
        }
        anyhow::bail!("{revision} is on trial still")
    }
}

fn all(revision: &str) -> Value {
    json!([{ "revision": revision, "percent": 100 }])
}

fn taken_back(why: &str) -> Value {
    json!({ "taken-back": { "why": why } })
}

#[test]
fn a_revision_that_fails_is_taken_back() -> anyhow::Result<()> {
    let shop = Shop::open()?;
    shop.deploy(("one", ""), None)?;
    ensure!(shop.trial("r1")?.is_null(), "without bounds there is no trial");
    shop.deploy(("two", ERRORS), None)?;
    ensure!((shop.trial("r2")?, shop.traffic()?) == (json!("open"), all("r2")));
    // 19 are too few.
    shop.fails("r2", 19)?;
    ensure!(shop.trial("r2")? == json!("open"));
    // A restart begins the trial anew.
    let shop = shop.restarted()?;
    shop.fails("r2", 19)?;
    ensure!((shop.trial("r2")?, shop.traffic()?) == (json!("open"), all("r2")));
    shop.fails("r2", 1)?;
    let trial = shop.judged("r2", None)?;
    ensure!(trial == taken_back("20 of 20 requests failed, and 10 in 100 may"), "{trial}");
    ensure!(shop.traffic()? == all("r1"));
    let audit = shop.admin.call("GET", "/v1/audit?tenant=acme", None)?.expect(200)?;
    let entries = audit["items"].as_array().context("items")?;
    let noted = entries.iter().find(|entry| entry["action"] == json!("revision.take-back")).context("not noted")?;
    ensure!((&noted["who"], &noted["target"]) == (&json!("node"), &json!("shop r2")), "{noted}");
    // Whoever wants it all the same gets it, and it is left alone.
    let to = json!({ "revision": "r2" });
    shop.admin.call("POST", "/v1/tenants/acme/apps/shop/rollback", Some(&to))?.expect(200)?;
    shop.fails("r2", 40)?;
    ensure!(shop.restarted()?.traffic()? == all("r2"));
    Ok(())
}

#[test]
fn a_share_that_is_slow_goes_back_to_the_others() -> anyhow::Result<()> {
    let shop = Shop::open()?;
    shop.deploy(("one", ""), None)?;
    shop.deploy(("two", ""), Some(50))?;
    shop.deploy(("three", SLOW), Some(50))?;
    let trial = shop.judged("r3", Some("/sleep?ms=30"))?;
    ensure!(trial["taken-back"]["why"].as_str().is_some_and(|why| why.contains("took longer than 20ms")), "{trial}");
    let others = json!([{ "revision": "r1", "percent": 50 }, { "revision": "r2", "percent": 50 }]);
    ensure!(shop.traffic()? == others, "{}", shop.traffic()?);
    Ok(())
}

#[test]
fn a_revision_within_its_bounds_is_kept() -> anyhow::Result<()> {
    let shop = Shop::open()?;
    shop.deploy(("one", ""), None)?;
    shop.deploy(("two", SHORT), None)?;
    ensure!(shop.judged("r2", Some("/count"))? == json!("kept"));
    // From then on it is on its own.
    shop.fails("r2", 60)?;
    ensure!((shop.trial("r2")?, shop.traffic()?) == (json!("kept"), all("r2")));
    Ok(())
}

#[test]
fn the_first_revision_has_nothing_to_go_back_to() -> anyhow::Result<()> {
    let shop = Shop::open()?;
    shop.deploy(("one", ERRORS), None)?;
    shop.fails("r1", 20)?;
    ensure!(shop.judged("r1", None)? == json!("kept"), "it answers on");
    ensure!(shop.traffic()? == all("r1") && shop.get("/count")? == 200);
    Ok(())
}
