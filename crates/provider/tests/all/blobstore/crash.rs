//! A process that is killed while it writes to a folder: what it was told is there stays there, and nothing half written
//! is seen.
//!
//! The parent starts this binary again as a child that writes, replaces and deletes, and says what it begins and what was
//! acknowledged. It kills the child at a random moment, opens the folder, and compares. `CUMULET_KILLS` is how often,
//! `CUMULET_SEED` repeats the choices of a run, though not its timing.

use std::collections::BTreeMap;
use std::fmt::Arguments;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::ChildStdout;
use std::thread;
use std::time::Duration;

use cumulet_provider::blobstore::Container;
use cumulet_provider::blobstore::folder::open;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::bodies::{all_names, body, files, noise, read};
use super::child::{command, setting};

const CHILD: &str = "all::blobstore::crash::writes_until_it_is_killed";
const KILLS_DEFAULT: u32 = 30;
const WRITERS: u64 = 4;
const NAMES_OF_A_WRITER: u32 = 4;
const SIZES: [usize; 5] = [0, 10, 5_000, 300_000, 2_500_000];

/// What an object is: the digest of its bytes, or nothing.
type State = Option<String>;

/// What a name may be after a kill: what was acknowledged last, or what was begun after.
#[derive(Debug, Clone, Default)]
struct Expected {
    acknowledged: State,
    begun: Option<State>,
}

#[derive(Debug, Default)]
struct Tally {
    acknowledged: usize,
    /// Writes and deletions that a kill met under way.
    interrupted: usize,
    /// Of those, the ones that were done all the same.
    done: usize,
    /// Staged files that the next opening had to remove.
    leftovers: usize,
    checked: usize,
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let kills = setting("CUMULET_KILLS").map_or(KILLS_DEFAULT, |kills| kills.parse().unwrap());
    let seed = setting("CUMULET_SEED").map_or_else(rand::random, |seed| seed.parse().unwrap());
    println!("{kills} kills, CUMULET_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut names = BTreeMap::new();
    let mut tally = Tally::default();
    for _ in 0..kills {
        let lines = run_and_kill(folder.path(), &mut random);
        note(&lines, &mut names, &mut tally);
        tally.leftovers += files(&folder.path().join("staging")).len();
        let container = open(folder.path()).unwrap();
        assert_eq!(files(&folder.path().join("staging")), Vec::<String>::new());
        compare(&*container, &mut names, &mut tally).await;
    }
    println!("{tally:?}");
    assert!(tally.acknowledged > 0 && tally.interrupted > 0, "the child was never killed while it wrote: {tally:?}");
}

/// The lines of a child that was killed after a while.
fn run_and_kill(folder: &Path, random: &mut StdRng) -> Vec<String> {
    let mut child = command(CHILD);
    child.env("CUMULET_FOLDER", folder).env("CUMULET_SEED", random.random::<u64>().to_string());
    let mut child = child.spawn().unwrap();
    let output = child.stdout.take().unwrap();
    let (ready, is_ready) = std::sync::mpsc::sync_channel(1);
    let lines = thread::spawn(move || read_lines(output, &ready));
    is_ready.recv().unwrap();
    thread::sleep(Duration::from_micros(random.random_range(0..60_000)));
    child.kill().unwrap();
    child.wait().unwrap();
    lines.join().unwrap()
}

fn read_lines(output: ChildStdout, ready: &std::sync::mpsc::SyncSender<()>) -> Vec<String> {
    let mut lines = Vec::new();
    for line in BufReader::new(output).lines() {
        // The line that the kill cut off was not printed whole, so that its name was not acknowledged.
        let line = line.unwrap();
        if line.ends_with("ready.") {
            ready.send(()).unwrap();
        } else if line.ends_with('.') {
            lines.push(line);
        }
    }
    lines
}

fn note(lines: &[String], names: &mut BTreeMap<String, Expected>, tally: &mut Tally) {
    for line in lines {
        let words: Vec<&str> = line.trim_end_matches('.').split(' ').collect();
        let [step, name, digest] = words[..] else {
            continue;
        };
        let state = (digest != "none").then(|| digest.to_owned());
        let expected = names.entry(name.to_owned()).or_default();
        match step {
            "begin" => expected.begun = Some(state),
            "done" => {
                assert_eq!(expected.begun.take(), Some(state.clone()));
                expected.acknowledged = state;
                tally.acknowledged += 1;
            }
            _ => {}
        }
    }
}

async fn compare(container: &dyn Container, names: &mut BTreeMap<String, Expected>, tally: &mut Tally) {
    let (listed, _) = all_names(container).await;
    for name in &listed {
        assert!(names.contains_key(name), "nobody wrote {name}");
    }
    for (name, expected) in names {
        let seen = if listed.contains(name) { Some(digest(&read(container, name).await.unwrap())) } else { None };
        let is_begun = expected.begun.as_ref() == Some(&seen);
        assert!(seen == expected.acknowledged || is_begun, "{name} is {seen:?} and should be {expected:?}");
        tally.interrupted += usize::from(expected.begun.is_some());
        tally.done += usize::from(is_begun);
        tally.checked += 1;
        *expected = Expected { acknowledged: seen, begun: None };
    }
}

fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// The part of the child; nothing in the run of all tests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_until_it_is_killed() {
    let Some(folder) = setting("CUMULET_FOLDER") else {
        return;
    };
    let seed: u64 = setting("CUMULET_SEED").unwrap().parse().unwrap();
    let container = open(Path::new(&folder)).unwrap();
    say(format_args!("ready."));
    let writers = (0..WRITERS).map(|writer| {
        let container = container.clone();
        tokio::spawn(async move { write_on(&*container, writer, seed).await })
    });
    futures_util::future::join_all(writers).await;
}

/// Writes to the names of one writer, so that what happens to each name happens in the order of its lines.
async fn write_on(container: &dyn Container, writer: u64, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed ^ writer);
    loop {
        let number = random.random_range(0..NAMES_OF_A_WRITER);
        // One in four has a name too long for a file.
        let name = format!("writer/{writer}/{number}{}", "/long".repeat(if number == 0 { 60 } else { 0 }));
        if random.random_ratio(1, 10) {
            say(format_args!("begin {name} none."));
            container.delete(vec![name.clone()]).await.unwrap();
            say(format_args!("done {name} none."));
            continue;
        }
        let bytes = noise(random.random(), SIZES[random.random_range(0..SIZES.len())]);
        let digest = digest(&bytes);
        say(format_args!("begin {name} {digest}."));
        container.write(name.clone(), body(bytes, 60_000)).await.unwrap();
        say(format_args!("done {name} {digest}."));
    }
}

/// Tells the parent, which reads what is written at once.
fn say(line: Arguments<'_>) {
    writeln!(io::stdout().lock(), "{line}").unwrap();
}
