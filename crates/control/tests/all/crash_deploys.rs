//! A process that dies in the middle of deploys: the old or the new revision answers, never neither and never half.
//!
//! As in `crash.rs` the test starts itself once more. That process deploys one revision after the other, step by step, and
//! prints each step once it is acknowledged; this one kills it at any of them. `CUMULET_KILLS` says how often.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use cumulet_control::{
    BeginDeploy, DeployStep, DesiredDeploy, Host, Observation, ObservedDeploy, Registry, Rollback, reconcile,
};
use cumulet_spec::deploy::{DeployId, DeployPhase};
use cumulet_spec::traffic::Traffic;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use super::fixture::{app, begin, host, hosts, id, percent, rollback, tenant};

/// Names the folder, in the process that is killed.
const FOLDER: &str = "CUMULET_CRASH_DEPLOYS_FOLDER";
const KILLS: u64 = 12;
/// The name of this test, for starting it again.
const NAME: &str = "all::crash_deploys::the_old_or_the_new_answers_after_a_kill";
/// A host that every revision has.
const SHARED: &str = "shop.example";

#[test]
fn the_old_or_the_new_answers_after_a_kill() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return deploy_until_killed(Path::new(&folder));
    }
    let kills = setting("CUMULET_KILLS").unwrap_or(KILLS);
    let seed = setting("CUMULET_SEED").unwrap_or_else(rand::random);
    eprintln!("{kills} kills, CUMULET_SEED={seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut last = 0;
    for kill in 0..kills {
        let said = run_and_kill(folder.path(), &mut random).max(last);
        // What was live and not said, the next process does not say either.
        last = check(folder.path(), said, kill);
    }
    eprintln!("{last} acknowledged deploys survived {kills} kills");
    assert!(last > 0, "the processes were killed before they did anything");
}

fn setting(name: &str) -> Option<u64> {
    std::env::var_os(name).map(|value| value.to_str().unwrap().parse().unwrap())
}

/// Lets a process work, kills it after some steps and a moment, and returns the last deploy that it said was live.
fn run_and_kill(folder: &Path, random: &mut SmallRng) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let live = |line: String| line.rsplit_once("live ").map_or(0, |(_, number)| number.parse::<u64>().unwrap());
    let mut last = 0;
    for _ in 0..random.random_range(1..80) {
        last = live(lines.next().expect("it works until it is killed").unwrap()).max(last);
    }
    // The kill comes at any point of the next step.
    std::thread::sleep(Duration::from_micros(random.random_range(0..3_000)));
    child.kill().unwrap();
    let last = lines.map(|line| live(line.unwrap())).fold(last, u64::max);
    child.wait().unwrap();
    last
}

/// Returns the deploy that is live, which may be one more than was said.
fn check(folder: &Path, acknowledged: u64, kill: u64) -> u64 {
    let registry = Registry::open(folder).unwrap();
    let now = newest_live(&registry);
    assert!(
        (acknowledged..=acknowledged + 1).contains(&now),
        "kill {kill}: {now} is live, and {acknowledged} was said"
    );
    if now > 0 {
        whole(&registry, now, kill);
    }
    let database = rusqlite::Connection::open(folder.join("registry.db")).unwrap();
    let integrity: String = database.query_row("PRAGMA integrity_check", (), |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok", "kill {kill}");
    now
}

/// Everything that follows from which deploy was live last is there, and nothing else.
fn whole(registry: &Registry, now: u64, kill: u64) {
    let found = registry.find(&tenant("acme"), &app("shop")).unwrap().expect("nothing answers");
    let expect = traffic_after(now);
    assert!(
        found.traffic == expect || (is_rolled_back(now) && found.traffic == traffic_after(now - 1)),
        "kill {kill}: after {now} it is {:?}",
        found.traffic
    );
    for arm in found.arms() {
        assert_eq!(arm.revision.id(), arm.id, "kill {kill}");
    }
    let mut wanted: BTreeSet<Host> = [host(SHARED)].into();
    wanted.extend(found.arms().iter().map(|arm| own_host(number_of(&arm.id))));
    let held: BTreeSet<Host> = registry.hosts(&tenant("acme"), &app("shop")).unwrap().into_iter().collect();
    assert_eq!(held, wanted, "kill {kill}: hosts of another state");
    for host in held {
        assert_eq!(registry.find_host(host.as_str()).unwrap(), Some((tenant("acme"), app("shop"))));
    }
    let row = registry.find_deploy(&DeployId::from_bits(now.into())).unwrap().unwrap();
    assert_eq!(row.phase, DeployPhase::Live, "kill {kill}");
    let log = registry.changes(cumulet_control::ChangeNumber(found.generation.0 - 1), 9).unwrap();
    assert_eq!(log.len(), 1, "kill {kill}: the app's generation is not its last change");
}

fn newest_live(registry: &Registry) -> u64 {
    let rows = registry.deploys(&tenant("acme"), &app("shop"), 10).unwrap();
    let live = rows.iter().find(|row| row.phase == DeployPhase::Live);
    live.map_or(0, |row| number_of(&row.revision))
}

/// The deploy of a revision: there are few enough to try.
fn number_of(revision: &cumulet_spec::id::Digest) -> u64 {
    (1..100_000).find(|number| id(&number.to_string()) == *revision).unwrap()
}

/// Every third is a canary beside the one before, every fifth is rolled back once it is live.
fn traffic_after(number: u64) -> Traffic {
    match number {
        0 => Traffic::all(id("0")),
        _ if number.is_multiple_of(3) => {
            let before = if is_rolled_back(number - 1) { traffic_after(number - 2) } else { traffic_after(number - 1) };
            before.with_share(id(&number.to_string()), percent(10))
        }
        _ => Traffic::all(id(&number.to_string())),
    }
}

fn is_rolled_back(number: u64) -> bool {
    number > 1 && number.is_multiple_of(5)
}

fn own_host(number: u64) -> Host {
    host(&format!("h{number}.example"))
}

fn request(number: u64) -> BeginDeploy {
    BeginDeploy {
        hosts: [hosts(&[SHARED]), vec![own_host(number)]].concat(),
        share: number.is_multiple_of(3).then(|| percent(10)),
        ..begin(number.into(), &number.to_string())
    }
}

fn deploy_until_killed(folder: &Path) {
    let registry = Registry::open(folder).unwrap();
    let last = newest_live(&registry);
    go_on(&registry, last);
    for number in last + 1.. {
        // One that was on its way when we were killed is taken up where it is.
        if registry.find_deploy(&DeployId::from_bits(number.into())).unwrap().is_none() {
            registry.begin_deploy(&request(number)).unwrap();
            say(format!("begun {number}"));
        }
        see_to(&registry, number);
        say(format!("live {number}"));
        go_on(&registry, number);
    }
}

/// Rolls back what is to be rolled back, unless that was done.
fn go_on(registry: &Registry, number: u64) {
    if is_rolled_back(number) {
        let key = cumulet_control::IdempotencyKey::parse(&format!("back-{number}")).unwrap();
        registry.rollback(&Rollback { idempotency_key: Some(key), ..rollback(None) }).unwrap();
        say(format!("back {number}"));
    }
}

/// Takes the steps that `reconcile` asks for, from nothing known but what the registry holds.
fn see_to(registry: &Registry, number: u64) {
    let mut observed = ObservedDeploy::default();
    loop {
        let row = registry.find_deploy(&DeployId::from_bits(number.into())).unwrap().unwrap();
        let desired =
            DesiredDeploy { components: BTreeSet::new(), units: BTreeSet::new(), at_us: row.at_us, phase: row.phase };
        let reached = match reconcile(&desired, &observed) {
            DeployStep::Link => {
                observed.linked = Observation::Done;
                registry.advance(&row.id, DeployPhase::Compiled, 1).unwrap();
                DeployPhase::Linked
            }
            DeployStep::Probe => {
                observed.probed = Observation::Done;
                DeployPhase::Probed
            }
            DeployStep::GoLive => {
                registry.go_live(&row.id, 2).unwrap();
                continue;
            }
            DeployStep::Done => break,
            other => panic!("{other:?}"),
        };
        registry.advance(&row.id, reached, 1).unwrap();
        say(format!("{reached} {number}"));
    }
}

fn say(line: String) {
    // The pipe may be gone when we are about to be.
    let mut output = std::io::stdout().lock();
    drop(output.write_all(format!("{line}\n").as_bytes()).and_then(|()| output.flush()));
}
