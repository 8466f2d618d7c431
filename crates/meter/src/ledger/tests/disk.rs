//! A disk that is full, or cannot be written: a clear error, and nothing is lost.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::*;

/// Names the data folder to the child, and makes it one.
const DATA: &str = "CUMULET_LEDGER_FULL";

fn append(ledger: &Ledger, generator: &mut Generator, count: usize) {
    for _ in 0..count {
        ledger.reserve().unwrap().append(&generator.entry());
    }
}

/// Breaks the disk under a ledger, fills the ring, mends the disk.
fn check(break_it: impl FnOnce(&Ledger, &Path), mend_it: impl FnOnce(&Ledger, &Path), expected: &str) {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("ledger");
    let ledger = Ledger::open(data.path(), SMALL).unwrap();
    let subjects: Vec<UsageSubject> = (0..200).map(|app| subject("acme", &format!("app-{app}"))).collect();
    let mut generator = Generator::new(5, ledger.subjects(&subjects).unwrap(), 0);
    append(&ledger, &mut generator, 60);
    ledger.drain(START_US, &[]).unwrap();
    break_it(&ledger, &folder);
    let mut appended = 60;
    while let Some(place) = ledger.reserve() {
        place.append(&generator.entry());
        appended += 1;
        if appended % 100 == 0 {
            let error = ledger.drain(START_US, &[]).unwrap_err();
            let text = format!("{error}: {}", std::error::Error::source(&error).unwrap());
            assert!(text.contains(expected), "{text}");
        }
    }
    assert_eq!(appended, 60 + 8 * 64, "once the ring is full there are no more reservations");
    mend_it(&ledger, &folder);
    ledger.drain(START_US, &[]).unwrap();
    assert_eq!(ledger.free_places(), 8 * 64);
    assert_eq!(audit(data.path()).0.len(), appended);
}

#[test]
fn a_full_disk_under_the_segments() {
    check(
        |_, folder| symlink("/dev/full", folder.join("records/00000002.seg")).unwrap(),
        |_, folder| fs::remove_file(folder.join("records/00000002.seg")).unwrap(),
        "No space left on device",
    );
}

#[test]
fn a_full_disk_under_the_database() {
    let set = |ledger: &Ledger, pages: i64| {
        let drain = ledger.drain.lock();
        drain.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    };
    check(|ledger, _| set(ledger, 1), |ledger, _| set(ledger, 1 << 30), "database or disk is full");
}

/// Every write beyond a length fails, wherever it falls: in a segment, in SQLite's log.
#[test]
fn files_that_may_not_grow() {
    if let Some(data) = std::env::var_os(DATA) {
        return [1_u64 << 10, 64 << 10, 128 << 10, 200 << 10]
            .into_iter()
            .for_each(|bytes| run_limited(&Path::new(&data).join(bytes.to_string()), bytes));
    }
    let data = tempfile::tempdir().unwrap();
    // Without the trap the first write that fails would end the process.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "ledger::tests::disk::files_that_may_not_grow"])
        .env(DATA, data.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}");
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.matches("failed as it should").count(), 4, "{text}");
}

fn run_limited(data: &Path, bytes: u64) {
    let ledger = Ledger::open(data, SMALL).unwrap();
    let subjects: Vec<UsageSubject> = (0..200).map(|app| subject("acme", &format!("app-{app}"))).collect();
    let mut generator = Generator::new(bytes, ledger.subjects(&subjects).unwrap(), 0);
    let Rlimit { maximum, .. } = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: Some(bytes), maximum }).unwrap();
    let mut failures = 0;
    for _ in 0..100 {
        let Some(place) = ledger.reserve() else { break };
        drop(place);
        append(&ledger, &mut generator, 20.min(usize::try_from(ledger.free_places()).unwrap()));
        if let Err(error) = ledger.drain(START_US, &[]) {
            failures += 1;
            if failures == 1 {
                println!("{bytes}: failed as it should: {error}: {}", std::error::Error::source(&error).unwrap());
            }
        }
    }
    assert!(failures > 0, "{bytes}: nothing failed");
    setrlimit(Resource::Fsize, Rlimit { current: maximum, maximum }).unwrap();
    ledger.drain(START_US, &[]).unwrap();
    assert_eq!(audit(data).0.len() as u64, generator.id);
    drop(ledger);
    Ledger::open(data, SMALL).unwrap();
}

#[test]
fn a_data_folder_that_cannot_be_written() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Ledger::open(file.path(), SMALL).unwrap_err();
    assert!(error.to_string().starts_with("cannot make "), "{error}");
    let error = LedgerReader::open(Path::new("/nowhere")).unwrap_err();
    assert!(matches!(error.kind, LedgerErrorKind::Missing), "{error}");
}

#[test]
fn nobody_else_may_look() {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(data.path(), SMALL).unwrap();
    let acme = ledger.subject(&subject("acme", "shop")).unwrap();
    ledger.reserve().unwrap().append(&Generator::new(1, vec![acme], 0).entry());
    ledger.drain(START_US, &[]).unwrap();
    let mode = |name: &str| fs::metadata(data.path().join("ledger").join(name)).unwrap().permissions().mode() & 0o777;
    let files = ["ring", "ledger.db", "ledger.db-wal", "lock", "records/00000001.seg"].map(mode);
    assert_eq!(files, [0o600; 5]);
    assert_eq!([".", "records"].map(mode), [0o700; 2]);
}
