//! A process that is killed for real, again and again.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use super::*;

/// Names the data folder to the child, and makes it one.
const DATA: &str = "CUMULET_LEDGER_DATA";
/// Tells children apart, for their ids and their seeds.
const ROUND: &str = "CUMULET_LEDGER_ROUND";
/// How often to kill.
const KILLS: &str = "CUMULET_KILLS";
const KILLS_DEFAULT: u64 = 12;

fn number(name: &str) -> Option<u64> {
    std::env::var_os(name).map(|text| text.to_str().unwrap().parse().unwrap())
}

/// In the child: two threads append, and say so once they have, while a third drains, until the process is killed.
fn run_until_killed(data: &Path, round: u64) {
    let ledger = Ledger::open(data, SMALL).unwrap();
    let subjects: Vec<UsageSubject> = (0..5).map(|app| subject("acme", &format!("app-{app}"))).collect();
    let ids = ledger.subjects(&subjects).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..2_u64 {
            let (ledger, ids) = (&ledger, ids.clone());
            scope.spawn(move || {
                let mut generator = Generator::new(round, ids, (round * 2 + thread) << 32);
                loop {
                    let entry = generator.entry();
                    place(ledger).append(&entry);
                    // One write of a short line to a pipe is never torn.
                    std::io::stderr().write_all(format!("ack {}\n", entry.id.0).as_bytes()).unwrap();
                }
            });
        }
        loop {
            ledger.drain(START_US, &[]).unwrap();
        }
    });
}

#[test]
fn no_record_that_was_acknowledged_is_lost_or_counted_twice() {
    if let Some(data) = std::env::var_os(DATA) {
        return run_until_killed(Path::new(&data), number(ROUND).unwrap());
    }
    let seed: u64 = rand::random();
    let kills = number(KILLS).unwrap_or(KILLS_DEFAULT);
    println!("seed {seed}, {kills} kills");
    let mut random = StdRng::seed_from_u64(seed);
    let data = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    let (mut in_ring, mut cut) = (0, 0);
    for round in 0..kills {
        acknowledged.extend(kill_after(random.random_range(1..2_000), data.path(), round));
        // Every third time, the next child finds the ring as the killed one left it.
        if round % 3 == 2 {
            continue;
        }
        let ledger = Ledger::open(data.path(), SMALL).unwrap();
        in_ring += ledger.recovered().records;
        cut += ledger.recovered().cut_bytes;
        ledger.drain(START_US, &[]).unwrap();
    }
    Ledger::open(data.path(), SMALL).unwrap().drain(START_US, &[]).unwrap();
    let (records, _) = audit(data.path());
    for id in &acknowledged {
        assert!(records.contains_key(id), "seed {seed}: {id} was acknowledged and is not there");
    }
    println!(
        "{} acknowledged, {} there; {in_ring} were found in the ring, {cut} bytes cut off",
        acknowledged.len(),
        records.len()
    );
    assert!(records.len() >= acknowledged.len());
}

/// Kills a child once it has acknowledged `count` records, and returns all that it acknowledged.
fn kill_after(count: usize, data: &Path, round: u64) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--nocapture",
            "ledger::tests::kill::no_record_that_was_acknowledged_is_lost_or_counted_twice",
        ])
        .env(DATA, data)
        .env(ROUND, round.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    for line in lines {
        let line = line.unwrap();
        let id = line.strip_prefix("ack ").unwrap_or_else(|| panic!("the child failed: {line}"));
        acknowledged.push(id.parse().unwrap());
        if acknowledged.len() == count {
            // SIGKILL. What it acknowledged until it is dead is still in the pipe.
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acknowledged.len() >= count, "the child ended by itself");
    acknowledged
}
