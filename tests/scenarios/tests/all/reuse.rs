//! Instances that serve more than one invocation, because their app asked for it.

use std::cell::Cell;

use anyhow::{Context as _, ensure};
use cumulet_scenarios::http1::Reply;
use cumulet_scenarios::output;
use cumulet_scenarios::patience::until;
use cumulet_scenarios::server::Server;
use serde_json::Value;

const WORLDS: [&str; 2] = ["/p2", "/p3"];

/// A server, and a client that asks one thing after the other.
struct Reused {
    server: Server,
    asked: Cell<u32>,
}

impl Reused {
    fn open() -> anyhow::Result<Self> {
        Ok(Self { server: Server::app("reuse.toml")?, asked: Cell::new(0) })
    }

    /// The answer to a request, and its event: the guest has ended then, and its instance may serve again.
    fn ask(&self, path: &str) -> anyhow::Result<(Reply, Value)> {
        let id = format!("request-{}", self.asked.replace(self.asked.get() + 1));
        let reply = self.server.get(path, &[&format!("x-request-id: {id}")])?;
        Ok((reply, self.server.invocation(&id)?))
    }

    /// Waits for what the component of a world printed.
    fn printed(&self, world: &str, printed: &str) -> anyhow::Result<Value> {
        let is_it = |event: &Value| {
            output::text(event, "text") == Some(printed) && output::text(event, "component") == world.strip_prefix('/')
        };
        self.server.stderr.wait_for(printed, |line| output::event(line).filter(is_it))
    }

    fn count(&self, world: &str) -> anyhow::Result<u32> {
        let (reply, event) = self.ask(&format!("{world}/count"))?;
        ensure!(reply.status() == 200, "{reply:?} {event}");
        Ok(reply.text().trim().parse()?)
    }
}

#[test]
fn an_instance_serves_as_often_as_it_may() -> anyhow::Result<()> {
    let reused = Reused::open()?;
    for world in WORLDS {
        let counts = (0..7).map(|_| reused.count(world)).collect::<anyhow::Result<Vec<u32>>>()?;
        ensure!(counts == [1, 2, 3, 1, 2, 3, 1], "{world}: {counts:?}");
    }
    reused.server.stop()
}

#[test]
fn a_guest_that_fails_takes_its_instance_along() -> anyhow::Result<()> {
    let reused = Reused::open()?;
    for world in WORLDS {
        ensure!(reused.count(world)? == 1 && reused.count(world)? == 2, "{world}");
        let (reply, event) = reused.ask(&format!("{world}/panic"))?;
        ensure!(reply.status() == 500 && output::text(&event, "outcome") == Some("trap"), "{event}");
        ensure!(reused.count(world)? == 1, "{world}: an instance was used after a trap");
    }
    // One that exits in good order has ended as well.
    ensure!(reused.count("/p2")? == 2);
    let (_reply, event) = reused.ask("/p2/exit")?;
    ensure!(reused.count("/p2")? == 1, "{event}");
    reused.server.stop()
}

#[test]
fn each_invocation_has_its_own_account() -> anyhow::Result<()> {
    let reused = Reused::open()?;
    for world in WORLDS {
        let (_reply, first) = reused.ask(&format!("{world}/count"))?;
        let (_reply, second) = reused.ask(&format!("{world}/count"))?;
        for event in [&first, &second] {
            ensure!(event["executed_us"].as_u64().is_some_and(|micros| micros < 1_000_000), "{event}");
            ensure!(event["memory_peak_bytes"].as_u64() > Some(0), "{event}");
        }
    }
    // The third request was its last one: the next three are served by another instance.
    ensure!(reused.count("/p2")? == 3);
    // What one leaves behind, the next one has, and its limit counts it.
    let (reply, event) = reused.ask("/p2/allocate-politely")?;
    ensure!(reply.status() == 200, "{event}");
    let (_reply, next) = reused.ask("/p2/count")?;
    ensure!(next["memory_peak_bytes"].as_u64() >= event["memory_peak_bytes"].as_u64(), "{next} after {event}");
    reused.server.stop()
}

#[test]
fn what_a_guest_prints_is_tagged_with_the_request_of_that_moment() -> anyhow::Result<()> {
    let reused = Reused::open()?;
    for world in WORLDS {
        for line in ["first", "second"] {
            let id = format!("print{}-{line}", world.replace('/', "-"));
            let path = format!("{world}/log?line={line}");
            let reply = reused.server.get(&path, &[&format!("x-request-id: {id}")])?;
            ensure!(reply.status() == 200, "{reply:?}");
            reused.server.invocation(&id)?;
            for printed in [format!("out {line}"), format!("err {line}")] {
                let event = reused.printed(world, &printed)?;
                ensure!(output::text(&event, "request_id") == Some(&id), "{event}");
            }
        }
    }
    reused.server.stop()
}

#[test]
fn requests_at_the_same_time_do_not_share_an_instance() -> anyhow::Result<()> {
    let reused = Reused::open()?;
    for world in WORLDS {
        let mut sleeping = reused.server.connect()?;
        let id = format!("asleep{}", world.replace('/', "-"));
        sleeping.request("GET", &format!("{world}/sleep?ms=300000"), &[&format!("x-request-id: {id}")])?;
        until("it has an instance", || {
            let (all, waiting) = ("cumulet_instances", "cumulet_slots_reused");
            Ok(slots(&reused.server, all)? > slots(&reused.server, waiting)?)
        })?;
        let counts = [reused.count(world)?, reused.count(world)?];
        ensure!(counts == [1, 2], "{world}: {counts:?}");
        drop(sleeping);
        let outcome = reused.server.outcome(&id)?;
        ensure!(outcome == "client-gone", "{outcome}");
        ensure!(reused.count(world)? == 3, "{world}: one that was cut off may not have served again");
    }
    reused.server.stop()
}

#[test]
fn instances_that_nobody_asks_for_end() -> anyhow::Result<()> {
    let reused = Reused::open()?;
    for world in WORLDS {
        reused.count(world)?;
    }
    ensure!(slots(&reused.server, "cumulet_slots_reused")? == 2);
    until("both have ended", || Ok(slots(&reused.server, "cumulet_slots_reused")? == 0))?;
    ensure!(slots(&reused.server, "cumulet_slots_in_use")? == 0 && slots(&reused.server, "cumulet_instances")? == 0);
    for world in WORLDS {
        ensure!(reused.count(world)? == 1, "{world}");
    }
    // An instance that waits does not hold up the end.
    reused.server.stop()
}

/// A gauge of the metrics.
fn slots(server: &Server, name: &str) -> anyhow::Result<u64> {
    let metrics = server.admin("/metrics")?;
    let text = metrics.text();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
    Ok(line.with_context(|| format!("no {name} in {text}"))?.parse()?)
}
