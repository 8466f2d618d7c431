//! A process that is killed at any moment loses nothing that it acknowledged.
//!
//! The child is this test binary again: it commits rows and prints the id of each after its commit. The parent kills it
//! after a random number of acknowledgements and a random pause, then opens the file.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cumulet_provider::sqlite::{Database, Value};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Names the file to the child; who sets it is the parent below.
const CHILD: &str = "CUMULET_SQLITE_CRASH_CHILD";
/// How often to kill, instead of [`KILLS`].
const KILLS_VARIABLE: &str = "CUMULET_KILLS";
const KILLS: u64 = 30;
/// Kills before a new file begins, since each kill reads the whole file.
const KILLS_PER_FILE: u64 = 50;
/// The seed to repeat, instead of a new one.
const SEED_VARIABLE: &str = "CUMULET_SEED";

#[test]
fn what_was_acknowledged_survives_a_kill() {
    if let Some(path) = std::env::var_os(CHILD) {
        write_until_killed(Path::new(&path));
        return;
    }
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let kills = number(KILLS_VARIABLE).unwrap_or(KILLS);
    let seed = number(SEED_VARIABLE).unwrap_or_else(rand::random);
    println!("{SEED_VARIABLE}={seed} {KILLS_VARIABLE}={kills}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut folder = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut found_before) = (0, 0);
    let (mut acknowledged_sum, mut found_sum) = (0, 0);
    for kill in 0..kills {
        if kill % KILLS_PER_FILE == 0 {
            folder = tempfile::tempdir().unwrap();
            (acknowledged, found_before) = (0, 0);
        }
        let path = folder.path().join("main.db");
        let before = acknowledged;
        acknowledged = kill_at_random(spawn(&path), &mut random).unwrap_or(acknowledged);
        let found = rows_after_crash(&path);
        let expect = acknowledged.max(found_before);
        assert!(found >= expect, "kill {kill} of seed {seed}: {expect} acknowledged or seen, {found} found");
        acknowledged_sum += acknowledged - before;
        found_sum += found - found_before;
        found_before = found;
    }
    println!("{kills} kills, {acknowledged_sum} rows acknowledged, {found_sum} found");
    assert!(acknowledged_sum > 0, "the child never got to write; seed {seed}");
}

/// Commits rows with ids that follow each other, one or several in a transaction. A row takes some pages, so that the log
/// reaches the size at which a commit also writes it back to the file.
fn write_until_killed(path: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let database = Database::open(path).unwrap();
        let connection = database.connect();
        let run =
            async |statement: &str, values: Vec<Value>| connection.execute(statement.to_owned(), values).await.unwrap();
        run("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, text)", Vec::new()).await;
        let rows = run("SELECT coalesce(max(id), 0) FROM t", Vec::new()).await;
        let Value::Integer(mut id) = rows.rows[0][0] else { panic!("{rows:?}") };
        loop {
            let count = 1 + id % 3;
            run("BEGIN IMMEDIATE", Vec::new()).await;
            for _ in 0..count {
                id += 1;
                let text = format!("{id} ").repeat(1_600);
                run("INSERT INTO t VALUES (?, ?)", vec![Value::Integer(id), Value::Text(text)]).await;
            }
            run("COMMIT", Vec::new()).await;
            // To the process's own output and not the test harness's, which would keep it.
            writeln!(std::io::stdout().lock(), "committed {id}").unwrap();
        }
    });
}

fn spawn(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "all::sql::sqlite::crash::what_was_acknowledged_survives_a_kill", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The last id that the child acknowledged before it was killed.
fn kill_at_random(mut child: Child, random: &mut StdRng) -> Option<i64> {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let wanted = random.random_range(0..12);
    let mut last = None;
    let mut seen = 0;
    while seen < wanted {
        let Some(line) = lines.next() else { break };
        last = acknowledgement(&line.unwrap()).or(last);
        seen += usize::from(last.is_some());
    }
    std::thread::sleep(Duration::from_micros(random.random_range(0..12_000)));
    child.kill().unwrap();
    child.wait().unwrap();
    // What it wrote before it died is still in the pipe; its last line may be cut, but then has no number that counts.
    let mut rest = Vec::new();
    for line in lines {
        rest.extend(line.ok());
    }
    rest.iter().filter_map(|line| acknowledgement(line)).next_back().or(last)
}

fn acknowledgement(line: &str) -> Option<i64> {
    line.strip_prefix("committed ").and_then(|id| id.parse().ok())
}

/// How many rows there are after checking that they are the first ones, whole, and the file is sound.
fn rows_after_crash(path: &Path) -> i64 {
    let connection = rusqlite::Connection::open(path).unwrap();
    // The log stays as the child left it, for the next child to find.
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let exists: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 't'", [], |row| row.get(0)).unwrap();
    if exists == 0 {
        return 0;
    }
    let statement = "SELECT count(*), coalesce(max(id), 0), \
                     count(*) FILTER (WHERE length(text) = 1600 * (length(id) + 1) AND text LIKE id || ' %') FROM t";
    let (count, last, whole): (i64, i64, i64) =
        connection.query_row(statement, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    assert_eq!((count, whole), (last, last), "rows are missing or cut");
    count
}
