//! A process that dies in the midst of its work, for tests.
//!
//! A test starts itself once more with a variable set. That process works, and prints each piece once it is acknowledged;
//! this one kills it at some point and looks at what is left. `CUMULET_KILLS` says how often.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

/// Names the folder, in the process that is killed.
const FOLDER: &str = "CUMULET_KILL_FOLDER";
/// Says what number to go on from.
const FROM: &str = "CUMULET_KILL_FROM";
const KILLS: u64 = 12;
/// The most pieces that are awaited before a kill.
const PIECES_MAX: u64 = 20;

/// Does pieces of work in a process that is killed, and calls `check` after each kill with the folder and the number of
/// pieces that were acknowledged: all those before it.
pub(crate) fn repeatedly(test: &str, work: impl Fn(&Path, u64), check: impl Fn(&Path, u64)) {
    if let (Some(folder), Some(from)) = (std::env::var_os(FOLDER), setting(FROM)) {
        for number in from.. {
            work(Path::new(&folder), number);
            acknowledge(number);
        }
    }
    let kills = setting("CUMULET_KILLS").unwrap_or(KILLS);
    let seed = setting("CUMULET_SEED").unwrap_or_else(rand::random);
    eprintln!("{kills} kills, CUMULET_SEED={seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut done = 0;
    for _ in 0..kills {
        let enough = done + random.random_range(0..PIECES_MAX);
        done = run_and_kill(test, folder.path(), (done, enough), Duration::from_micros(random.random_range(0..3_000)));
        check(folder.path(), done);
    }
    assert!(done > 0, "the processes were killed before they did anything");
}

fn setting(name: &str) -> Option<u64> {
    std::env::var_os(name).map(|value| value.to_str().unwrap().parse().unwrap())
}

fn run_and_kill(test: &str, folder: &Path, (from, enough): (u64, u64), moment: Duration) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(FOLDER, folder)
        .env(FROM, from.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut done = from;
    // The test harness prints as well, and may have begun the line.
    let note = |line: String| match line.rsplit_once("done ") {
        Some((_, number)) => number.parse::<u64>().unwrap() + 1,
        None => from,
    };
    while done < enough {
        done = done.max(note(lines.next().expect("it works until it is killed").unwrap()));
    }
    // The kill comes at any point of the next piece.
    std::thread::sleep(moment);
    child.kill().unwrap();
    let done = lines.map(|line| note(line.unwrap())).fold(done, u64::max);
    child.wait().unwrap();
    done
}

/// Tells the other process, past whatever the test harness does with output. The pipe may be gone when we are about to be.
fn acknowledge(number: u64) {
    let line = format!("done {number}\n");
    let mut output = std::io::stdout().lock();
    drop(output.write_all(line.as_bytes()).and_then(|()| output.flush()));
}
