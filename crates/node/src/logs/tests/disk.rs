//! A disk that is full costs entries, which are counted, and nothing else.

use super::*;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs;
use std::process::Command;

/// Names the data folder to the child, and makes it one.
const DATA: &str = "CUMULET_LOGS_FULL";

/// Every write beyond a length fails, wherever it falls: in the midst of an entry, too.
#[test]
fn files_that_may_not_grow() {
    if let Some(data) = std::env::var_os(DATA) {
        return run_limited(Path::new(&data));
    }
    let data = tempfile::tempdir().unwrap();
    // Without the trap the first write that fails would end the process.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "logs::tests::disk::files_that_may_not_grow"])
        .env(DATA, data.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("as it should"), "{text}");
}

fn run_limited(data: &Path) {
    for bytes in [10, 33, 1_000, 10_007] {
        let name = format!("app-{bytes}");
        let mut desk = Desk::new(data, SMALL);
        let Rlimit { maximum, .. } = getrlimit(Resource::Fsize);
        setrlimit(Resource::Fsize, Rlimit { current: Some(bytes), maximum }).unwrap();
        for line in 0..1_000 {
            desk.print(&name, line, &format!("line {line}"));
            if line % 3 == 0 {
                desk.flush();
            }
        }
        desk.flush();
        let lost = desk.shelf.lost(&app(&name));
        let before = texts(&all(data, &name));
        assert_eq!(before.len() as u64 + lost, 1_000, "{name}");
        assert!(lost > 0);
        setrlimit(Resource::Fsize, Rlimit { current: maximum, maximum }).unwrap();
        desk.print(&name, 1_000, "room again");
        desk.flush();
        let after = all(data, &name);
        assert_eq!(texts(&after)[before.len()..], [format!("dropped {lost}"), "room again".to_owned()], "{name}");
        assert!(after.notes.is_empty(), "{:?}", after.notes);
        println!("{bytes}: {lost} lost as it should");
    }
}

#[test]
fn a_folder_that_cannot_be_used_costs_its_app_alone() {
    let data = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(data.path(), SMALL);
    let folder = data.path().join("logs/shop");
    fs::write(&folder, "a file where a folder should be").unwrap();
    for line in 0..10 {
        desk.print("shop", line, "lost");
        desk.print("blog", line, "kept");
        desk.flush();
    }
    assert_eq!(all(data.path(), "blog").records.len(), 10);
    fs::remove_file(&folder).unwrap();
    desk.print("shop", 10, "kept");
    desk.flush();
    assert_eq!(texts(&all(data.path(), "shop")), ["dropped 10", "kept"]);
}
