//! A node of many apps: what it did is what it bills, whatever happens to it, and no tenant costs another.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Condvar, Mutex};

use anyhow::{Context as _, ensure};
use cumulet_scenarios::fleet::{App, Fleet};
use cumulet_scenarios::http1::Connection;
use cumulet_scenarios::output;
use cumulet_scenarios::paths;
use cumulet_scenarios::patience::until;
use cumulet_scenarios::random::{self, Random};
use cumulet_scenarios::server::Server;
use serde_json::Value;

/// How often the node is killed, unless a variable says otherwise.
const KILLS: u32 = 6;
/// Clients at once, each with one request under way.
const CLIENTS: u64 = 4;
/// Answers after which a round ends, at most.
const ANSWERS_MAX: u64 = 60;
const NO_PANIC: &str = "clients do not panic";

/// What is asked for, and how that ends.
const PATHS: [(&str, &str); 7] = [
    ("/count", "ok"),
    ("/work?ms=3", "ok"),
    ("/sleep?ms=1", "ok"),
    ("/echo", "ok"),
    ("/panic", "trap"),
    ("/spin", "cpu-limit"),
    ("/never-answer", "no-response"),
];

/// Requests by app and outcome.
type Counts = BTreeMap<(String, &'static str), u64>;

#[derive(Debug, Default)]
struct Seen {
    sent: Counts,
    answered: Counts,
    answers: u64,
}

fn fleet() -> anyhow::Result<(Fleet, Vec<App>)> {
    // Of two tenants no more than an app or two stay loaded.
    let fleet = Fleet::new("[tenant.acme]\nloaded = \"4MiB\"\n[tenant.other]\nloaded = \"4MiB\"\nweight = 3\n")?;
    let mut apps = Vec::new();
    for tenant in ["acme", "other", "third"] {
        for number in 0..4 {
            let name = format!("app-{number}");
            let source = fleet.component("hostile.wasm", &format!("{tenant}-{name}"))?;
            apps.push(App { tenant, name, source, more: "limit = { cpu = \"20ms\" }" });
        }
    }
    for end in fleet.deploy(&apps)? {
        ensure!(end.is_ok(), "{end:?}");
    }
    Ok((fleet, apps))
}

/// Calls one app after another until the connection breaks or there are `wanted` answers.
fn call(address: SocketAddr, apps: &[App], mut random: Random, (seen, more, wanted): (&Mutex<Seen>, &Condvar, u64)) {
    let Ok(mut connection) = Connection::open(address) else { return };
    loop {
        let app = random.pick(apps).expect("there are apps");
        let (path, outcome) = *random.pick(&PATHS).expect("there are paths");
        let key = (format!("{}/{}", app.tenant, app.name), outcome);
        {
            let mut seen = seen.lock().expect(NO_PANIC);
            if seen.answers >= wanted {
                return;
            }
            *seen.sent.entry(key.clone()).or_default() += 1;
        }
        let sent = connection.request_to(&app.host(), ("GET", path), &[]);
        let Ok(reply) = sent.and_then(|()| connection.reply("GET")) else { return };
        if !reply.complete {
            return;
        }
        let mut seen = seen.lock().expect(NO_PANIC);
        *seen.answered.entry(key).or_default() += 1;
        seen.answers += 1;
        more.notify_one();
    }
}

/// Lets clients call until there are enough answers, and then ends the server in the middle of what it does, or at rest.
fn round(server: &Server, apps: &[App], random: &mut Random, is_killed: bool) -> anyhow::Result<Seen> {
    let (seen, more, wanted) = (Mutex::default(), Condvar::new(), 1 + random.below(ANSWERS_MAX));
    std::thread::scope(|scope| -> anyhow::Result<()> {
        for _ in 0..CLIENTS {
            let own = Random::new(random.below(u64::MAX));
            let until = if is_killed { u64::MAX } else { wanted };
            let (seen, more) = (&seen, &more);
            scope.spawn(move || call(server.address, apps, own, (seen, more, until)));
        }
        if is_killed {
            let enough = |seen: &mut Seen| seen.answers < wanted;
            drop(more.wait_while(seen.lock().expect(NO_PANIC), enough).expect(NO_PANIC));
            server.kill_now()?;
        }
        Ok(())
    })?;
    Ok(seen.into_inner().expect(NO_PANIC))
}

fn add(sum: &mut Counts, more: &Counts) {
    for (key, count) in more {
        *sum.entry(key.clone()).or_default() += count;
    }
}

/// What the ledger says.
#[derive(Debug, Default)]
struct Recorded {
    /// Invocations by app and outcome.
    counts: BTreeMap<(String, String), u64>,
    executed_us: u64,
}

impl Recorded {
    fn of(fleet: &Fleet) -> anyhow::Result<Self> {
        let usage = fleet.usage()?;
        let mut recorded = Self::default();
        for row in usage.get("rows").and_then(Value::as_array).context("rows")? {
            let text =
                |name: &str| row.get(name).and_then(Value::as_str).with_context(|| format!("no {name} in {row}"));
            let number = |place: &str| {
                row.pointer(place).and_then(Value::as_u64).with_context(|| format!("no {place} in {row}"))
            };
            let key = (format!("{}/{}", text("tenant")?, text("app")?), text("outcome")?.to_owned());
            recorded.counts.insert(key, number("/billed/requests")? + number("/unbilled/requests")?);
            recorded.executed_us += number("/billed/executed_us")? + number("/unbilled/executed_us")?;
        }
        Ok(recorded)
    }
}

/// The executed microseconds of all invocations that the server told of until its end.
fn told(server: Server) -> anyhow::Result<u64> {
    let stderr = server.stderr.clone();
    server.stop()?;
    let events = stderr.lines().into_iter().filter_map(|line| output::event(&line));
    let invocations = events.filter(|event| output::text(event, "event") == Some("invocation"));
    Ok(invocations.filter_map(|event| event.get("executed_us").and_then(Value::as_u64)).sum())
}

#[test]
fn what_is_billed_is_what_was_done_over_restarts_and_evictions() -> anyhow::Result<()> {
    let seed = random::seed();
    println!("seed {seed}");
    let (fleet, apps) = fleet()?;
    let mut random = Random::new(seed);
    let (mut sent, mut executed_us) = (Counts::new(), 0);
    for _ in 0..3 {
        let server = fleet.serve()?;
        let seen = round(&server, &apps, &mut random, false)?;
        ensure!(seen.sent == seen.answered, "seed {seed}: {seen:?}");
        add(&mut sent, &seen.sent);
        executed_us += told(server)?;
    }
    let recorded = Recorded::of(&fleet)?;
    let sent: BTreeMap<_, _> =
        sent.into_iter().map(|((app, outcome), count)| ((app, outcome.to_owned()), count)).collect();
    ensure!(recorded.counts == sent, "seed {seed}: {recorded:?}, sent {sent:?}");
    ensure!(recorded.executed_us == executed_us, "seed {seed}: {recorded:?}, {executed_us} µs told");
    Ok(())
}

#[test]
fn a_killed_node_has_recorded_every_answer_once() -> anyhow::Result<()> {
    let (seed, kills) = (random::seed(), random::kills(KILLS));
    println!("seed {seed}, {kills} kills");
    let (fleet, apps) = fleet()?;
    let mut random = Random::new(seed);
    let (mut sent, mut answered) = (Counts::new(), Counts::new());
    for kill in 0..=kills {
        let so_far = || format!("seed {seed}, after {kill} kills");
        let server = fleet.serve().with_context(so_far)?;
        let recorded = Recorded::of(&fleet)?;
        for (key, sent) in &sent {
            let answered = answered.get(key).copied().unwrap_or_default();
            let found = recorded.counts.get(&(key.0.clone(), key.1.to_owned())).copied().unwrap_or_default();
            let counts = || format!("{key:?}: {found} recorded, {answered} answered, {sent} sent");
            ensure!((answered..=*sent).contains(&found), "{}: {}", so_far(), counts());
        }
        if kill == kills {
            server.stop()?;
            break;
        }
        let seen = round(&server, &apps, &mut random, true)?;
        add(&mut sent, &seen.sent);
        add(&mut answered, &seen.answered);
    }
    let recorded = Recorded::of(&fleet)?;
    let (all, found): (u64, u64) = (answered.values().sum(), recorded.counts.values().sum());
    println!("{all} answers, {found} records");
    Ok(())
}

#[test]
fn a_compile_bomb_costs_its_owner_an_error() -> anyhow::Result<()> {
    let fleet = Fleet::new("[compile]\nmemory = \"256MiB\"\ntime = \"60s\"\n")?;
    let app = |tenant, name: &str, source| App { tenant, name: name.into(), source, more: "" };
    let apps = [
        app("acme", "before", paths::text_guest("small.wat")?.canonicalize()?),
        app("evil", "bomb", fleet.compile_bomb()?),
        app("evil", "honest", fleet.component("hostile.wasm", "honest")?),
        app("acme", "after", fleet.component("hostile.wasm", "after")?),
    ];
    let ends = fleet.deploy(&apps)?;
    insta::assert_debug_snapshot!(ends);
    let server = fleet.serve()?;
    for (app, end) in apps.iter().zip(&ends) {
        let mut connection = server.connect()?;
        connection.request_to(&app.host(), ("GET", "/count"), &[])?;
        let status = connection.reply("GET")?.status();
        ensure!(status == if end.is_ok() { 200 } else { 404 }, "{app:?}: {status}");
    }
    server.stop()
}

#[test]
fn an_app_that_nobody_calls_sleeps_again() -> anyhow::Result<()> {
    let fleet = Fleet::new("[limit]\nidle = \"1s\"\n")?;
    let source = fleet.component("hostile.wasm", "idle")?;
    let app = App { tenant: "acme", name: "idle".into(), source, more: "" };
    for end in fleet.deploy(std::slice::from_ref(&app))? {
        ensure!(end.is_ok(), "{end:?}");
    }
    let server = fleet.serve()?;
    let call = || -> anyhow::Result<u16> {
        let mut connection = server.connect()?;
        connection.request_to(&app.host(), ("GET", "/count"), &[])?;
        Ok(connection.reply("GET")?.status())
    };
    for woken in 1..=2 {
        ensure!(call()? == 200);
        until("it sleeps", || {
            let metrics = server.admin("/metrics")?.text();
            let says = |line: String| metrics.lines().any(|found| found == line);
            Ok(says(format!("cumulet_unloaded_total {woken}")) && says("cumulet_loaded_bytes 0".into()))
        })?;
    }
    server.stop()
}
