//! A process that dies: whatever it acknowledged is there afterwards.
//!
//! The test starts itself once more with a variable set. That process deploys and removes, and prints each change once it
//! is acknowledged; this one kills it at some point and compares. `CUMULET_KILLS` says how often.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use cumulet_control::{ChangeNumber, Deploy, Deployed, Host, IdempotencyKey, Registry, Remove};
use cumulet_spec::id::{AppName, TenantId};
use cumulet_spec::revision::{REVISION_FORMAT, Revision};
use cumulet_spec::token::Actor;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

/// Names the folder, in the process that is killed.
const FOLDER: &str = "CUMULET_CRASH_FOLDER";
const KILLS: u64 = 12;
/// The name of this test, for starting it again.
const NAME: &str = "all::crash::what_was_acknowledged_survives_a_kill";
/// Apps that are gone round on.
const RING: u64 = 8;

#[test]
fn what_was_acknowledged_survives_a_kill() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return change_until_killed(Path::new(&folder));
    }
    let kills = setting("CUMULET_KILLS").unwrap_or(KILLS);
    let seed = setting("CUMULET_SEED").unwrap_or_else(rand::random);
    eprintln!("{kills} kills, CUMULET_SEED={seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut last = 0;
    for kill in 0..kills {
        let said = run_and_kill(folder.path(), &mut random).max(last);
        // What was done and not said, the next process does not say either.
        last = check(folder.path(), said, kill);
    }
    eprintln!("{last} acknowledged changes survived {kills} kills");
    assert!(last > kills, "the processes were killed before they did anything");
}

fn setting(name: &str) -> Option<u64> {
    std::env::var_os(name).map(|value| value.to_str().unwrap().parse().unwrap())
}

/// Lets a process work, kills it after some acknowledgements and a moment, and returns the last number it acknowledged.
fn run_and_kill(folder: &Path, random: &mut SmallRng) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The test harness prints as well, and may have begun the line.
    let number = |line: String| line.rsplit_once("done ").map_or(0, |(_, number)| number.parse::<u64>().unwrap());
    let mut last = 0;
    for _ in 0..random.random_range(1..60) {
        last = number(lines.next().expect("it works until it is killed").unwrap()).max(last);
    }
    // The kill comes at any point of the next change.
    std::thread::sleep(Duration::from_micros(random.random_range(0..3_000)));
    child.kill().unwrap();
    let last = lines.map(|line| number(line.unwrap())).fold(last, u64::max);
    child.wait().unwrap();
    last
}

/// Every number stands for one change, so what must be there follows from the number of the last one, which is returned.
fn check(folder: &Path, acknowledged: u64, kill: u64) -> u64 {
    let registry = Registry::open(folder).unwrap();
    let mut expect: BTreeMap<AppName, u64> = BTreeMap::new();
    let mut last = 0;
    let mut after = ChangeNumber::NONE;
    loop {
        let page = registry.changes(after, 1_000).unwrap();
        let Some(newest) = page.last() else { break };
        after = newest.number;
        for row in page {
            let number = row.number.0;
            assert_eq!((number, row.change.app()), (last + 1, Some(&app(number))), "kill {kill}: the log has a gap");
            last = number;
            if is_removal(number) {
                expect.remove(&app(number))
            } else {
                expect.insert(app(number), number)
            };
        }
    }
    assert!((acknowledged..=acknowledged + 1).contains(&last), "kill {kill}: {last} of {acknowledged}");
    for number in 1..=RING {
        let (app, tenant) = (app(number), TenantId::local());
        let found = registry.find(&tenant, &app).unwrap();
        assert_eq!(found.as_ref().map(|found| found.generation.0), expect.get(&app).copied(), "kill {kill}: {app}");
        let Some(found) = found else { continue };
        let deploy = deploy(found.generation.0);
        assert_eq!(found.leading().revision, deploy.revision, "kill {kill}: {app}");
        let host = deploy.hosts.first().unwrap();
        assert_eq!(registry.find_host(host.as_str()).unwrap(), Some((tenant, app)), "kill {kill}: {host}");
        let again = registry.deploy(&deploy).unwrap();
        assert_eq!(
            again,
            Deployed { number: found.generation, revision: found.leading().id },
            "kill {kill}: sent again"
        );
    }
    assert_eq!(registry.count().unwrap(), expect.len() as u64, "kill {kill}");
    let database = rusqlite::Connection::open(folder.join("registry.db")).unwrap();
    let integrity: String = database.query_row("PRAGMA integrity_check", (), |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok", "kill {kill}");
    last
}

fn change_until_killed(folder: &Path) {
    let registry = Registry::open(folder).unwrap();
    let mut last = 0;
    while let Some(newest) = registry.changes(ChangeNumber(last), 1_000).unwrap().last() {
        last = newest.number.0;
    }
    for number in last + 1.. {
        let done = if is_removal(number) {
            registry.remove(&remove(number)).unwrap()
        } else {
            registry.deploy(&deploy(number)).unwrap().number
        };
        assert_eq!(done.0, number);
        let line = format!("done {number}\n");
        // The pipe may be gone when we are about to be.
        let mut output = std::io::stdout().lock();
        drop(output.write_all(line.as_bytes()).and_then(|()| output.flush()));
    }
}

/// Every third round ends an app that the round before deployed.
fn is_removal(number: u64) -> bool {
    number > RING && (number / RING) % 3 == 2
}

fn app(number: u64) -> AppName {
    AppName::parse(&format!("app-{}", number % RING)).unwrap()
}

fn deploy(number: u64) -> Deploy {
    let version = Some(format!("{number}-{}", "x".repeat(usize::try_from(number % 7).unwrap() * 900)));
    Deploy {
        tenant: TenantId::local(),
        revision: Revision {
            format: REVISION_FORMAT,
            app: app(number),
            version,
            components: BTreeMap::new(),
            routes: Vec::new(),
            probe: None,
            rollout: None,
            roots: Vec::new(),
        },
        hosts: vec![Host::parse(&format!("h{number}.example")).unwrap()],
        by: Actor::Node,
        at_us: number,
        idempotency_key: Some(IdempotencyKey::parse(&format!("key-{number}")).unwrap()),
        expected_generation: None,
    }
}

fn remove(number: u64) -> Remove {
    Remove {
        tenant: TenantId::local(),
        app: app(number),
        by: Actor::Node,
        at_us: number,
        idempotency_key: Some(IdempotencyKey::parse(&format!("key-{number}")).unwrap()),
        expected_generation: None,
    }
}
