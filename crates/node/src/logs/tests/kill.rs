//! A process that is killed while it writes.

use super::*;
use rand::Rng as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

/// Names the data folder to the child, and makes it one.
const DATA: &str = "CUMULET_LOGS_DATA";
/// The first line that the child writes.
const FIRST: &str = "CUMULET_LOGS_FIRST";
const KILLS: u64 = 12;

fn run_until_killed(data: &Path, first: u64) {
    let mut desk = Desk::new(data, SMALL);
    let mut stderr = std::io::stderr();
    for line in first.. {
        desk.print("shop", line, &format!("{line} {}", "x".repeat(usize::try_from(line * 37 % 3_000).unwrap())));
        if line % 5 == 0 {
            desk.flush();
            // One write of a short line to a pipe is never torn.
            stderr.write_all(format!("ack {line}\n").as_bytes()).unwrap();
        }
    }
}

#[test]
fn what_was_written_outlives_the_process() {
    if let Some(data) = std::env::var_os(DATA) {
        let first = std::env::var_os(FIRST).unwrap().to_str().unwrap().parse().unwrap();
        return run_until_killed(Path::new(&data), first);
    }
    let data = tempfile::tempdir().unwrap();
    let mut next = 0;
    for _ in 0..KILLS {
        let acknowledged = kill_after(rand::rng().random_range(1..40), data.path(), next);
        let page = all(data.path(), "shop");
        assert!(page.notes.is_empty(), "{:?}", page.notes);
        let numbers: Vec<u64> =
            texts(&page).iter().map(|text| text.split(' ').next().unwrap().parse().unwrap()).collect();
        let last = *numbers.last().unwrap();
        assert!(last >= acknowledged, "{acknowledged} was written, {last} is the last there");
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
        next = last + 1;
    }
    println!("{next} lines over {KILLS} kills, {} segments", segments(data.path(), "shop").len());
}

/// Kills a child once it has acknowledged so often, and returns the last line that it acknowledged.
fn kill_after(count: usize, data: &Path, first: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "logs::tests::kill::what_was_written_outlives_the_process"])
        .env(DATA, data)
        .env(FIRST, first.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = 0;
    for (number, line) in BufReader::new(child.stderr.take().unwrap()).lines().enumerate() {
        let line = line.unwrap();
        let id = line.strip_prefix("ack ").unwrap_or_else(|| panic!("the child failed: {line}"));
        acknowledged = id.parse().unwrap();
        if number + 1 == count {
            // SIGKILL. What it acknowledged until it is dead is still in the pipe.
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    acknowledged
}
