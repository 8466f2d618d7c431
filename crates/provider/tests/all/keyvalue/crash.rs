//! A process that dies: whatever it acknowledged is there afterwards.
//!
//! The test starts itself once more with a variable set. That process writes from several threads and prints each write
//! once it is acknowledged; this one kills it at some point and compares. `CUMULET_KILLS` says how often.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use cumulet_provider::keyvalue::sqlite::Store;
use cumulet_provider::keyvalue::{Bucket, Swap};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::runtime::Runtime;

/// The name of this test, for starting it again.
const NAME: &str = "all::keyvalue::crash::what_was_acknowledged_survives_a_kill";
/// Names the file, in the process that is killed.
const FILE: &str = "CUMULET_CRASH_FILE";
const WRITERS: usize = 4;
const KILLS: u64 = 50;
/// Keys that each writer goes round on.
const RING: u64 = 32;

#[test]
fn what_was_acknowledged_survives_a_kill() {
    if let Some(file) = std::env::var_os(FILE) {
        return write_until_killed(Path::new(&file));
    }
    let kills = setting("CUMULET_KILLS").unwrap_or(KILLS);
    let seed = setting("CUMULET_SEED").unwrap_or_else(rand::random);
    eprintln!("{kills} kills, CUMULET_SEED={seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kv.sqlite");
    let mut acknowledged = BTreeMap::new();
    let mut writes = 0;
    for kill in 0..kills {
        writes += run_and_kill(&file, &mut random, &mut acknowledged);
        check(&file, &mut acknowledged, kill);
    }
    eprintln!("{writes} acknowledged writes survived {kills} kills");
    assert!(writes > kills, "the processes were killed before they wrote");
}

fn setting(name: &str) -> Option<u64> {
    std::env::var_os(name).map(|value| value.to_str().unwrap().parse().unwrap())
}

/// Lets a process write, kills it after some acknowledgements and a moment, and notes the last of each key.
fn run_and_kill(file: &Path, random: &mut SmallRng, acknowledged: &mut BTreeMap<String, u64>) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(FILE, file)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut writes, enough) = (0, random.random_range(0..200));
    let mut note = |line: String| {
        // The test harness prints as well, and may have begun the line.
        let Some((key, number)) = line.rsplit_once("done ").and_then(|(_, rest)| rest.split_once(' ')) else {
            return 0;
        };
        let last = acknowledged.entry(key.to_owned()).or_default();
        *last = number.parse::<u64>().unwrap().max(*last);
        1
    };
    while writes < enough {
        writes += note(lines.next().expect("it writes until it is killed").unwrap());
    }
    thread::sleep(Duration::from_micros(random.random_range(0..3_000)));
    child.kill().unwrap();
    writes += lines.map(|line| note(line.unwrap())).sum::<u64>();
    child.wait().unwrap();
    writes
}

fn check(file: &Path, acknowledged: &mut BTreeMap<String, u64>, kill: u64) {
    let store = Store::open(file).unwrap();
    let bucket = store.bucket("crash");
    let runtime = runtime();
    for (key, number) in acknowledged.iter_mut() {
        let found = read(&runtime, bucket.as_ref(), key);
        assert!(found >= *number, "kill {kill}: {key} is {found}, {number} was acknowledged");
        if key.starts_with("count") {
            // At most one write of a writer was under way when it was killed.
            assert!(found <= *number + 1, "kill {kill}: {key} is {found}, {number} was acknowledged");
        }
        *number = found;
    }
    for writer in 0..WRITERS {
        let pair = ["left", "right"].map(|side| read(&runtime, bucket.as_ref(), &format!("{side}-{writer}")));
        assert_eq!(pair[0], pair[1], "kill {kill}: a batch was done in part");
    }
    let connection = rusqlite::Connection::open(file).unwrap();
    let integrity: String = connection.query_row("PRAGMA integrity_check", (), |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok", "kill {kill}");
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

fn read(runtime: &Runtime, bucket: &dyn Bucket, key: &str) -> u64 {
    let value = runtime.block_on(bucket.get(key.to_owned())).unwrap();
    value.map_or(0, |text| std::str::from_utf8(&text).unwrap().parse().unwrap())
}

fn write_until_killed(file: &Path) {
    let store = Store::open(file).unwrap();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let bucket = store.bucket("crash");
            scope.spawn(move || write(bucket, writer));
        }
    });
}

/// Each kind of write in turn, each with the next number, without end.
fn write(bucket: Arc<dyn Bucket>, writer: usize) {
    let runtime = runtime();
    let key = |kind: &str| format!("{kind}-{writer}");
    loop {
        let delta = 1;
        let number = u64::try_from(runtime.block_on(bucket.increment(key("count"), delta)).unwrap()).unwrap();
        done(&key("count"), number);

        let value = Bytes::from(number.to_string());
        let ring = format!("ring-{writer}-{}", number % RING);
        runtime.block_on(bucket.set(ring.clone(), value.clone())).unwrap();
        done(&ring, number);

        let pair = ["left", "right"].map(|side| (key(side), value.clone())).to_vec();
        runtime.block_on(bucket.set_many(pair)).unwrap();
        done(&key("left"), number);

        let seen = runtime.block_on(bucket.read(key("swap"))).unwrap();
        assert_eq!(runtime.block_on(bucket.swap(key("swap"), seen, value)).unwrap(), Swap::Done);
        done(&key("swap"), number);
    }
}

/// Tells the other process, past whatever the test harness does with output.
fn done(key: &str, number: u64) {
    let line = format!("done {key} {number}\n");
    // One call under one lock: lines of several threads do not mix. The pipe may be gone when we are about to be.
    let mut output = std::io::stdout().lock();
    drop(output.write_all(line.as_bytes()).and_then(|()| output.flush()));
}
