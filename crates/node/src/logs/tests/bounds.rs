//! Logs take no more of the disk, and of open files, than they may.

use super::*;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::fs;

fn bytes(data: &Path, name: &str) -> u64 {
    segments(data, name).iter().map(|path| fs::metadata(path).unwrap().len()).sum()
}

#[test]
fn an_app_keeps_the_newest_within_its_bound() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let data = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(data.path(), SMALL);
    let (mut line, mut written) = (0, 0);
    let mut last_number = String::new();
    while written < 5 << 20 {
        for _ in 0..random.random_range(1..30) {
            let length = 2_usize.pow(random.random_range(0..15));
            desk.print("shop", line, &format!("{line} {}", "x".repeat(length)));
            (line, written) = (line + 1, written + length);
        }
        desk.flush();
        assert!(bytes(data.path(), "shop") <= SMALL.per_app.0, "seed {seed}");
        if random.random_range(0..20) == 0 {
            // A restart goes on where the last one ended.
            desk = Desk::new(data.path(), SMALL);
        }
        let last = segments(data.path(), "shop").pop().unwrap().to_str().unwrap().to_owned();
        assert!(last >= last_number, "seed {seed}: {last} after {last_number}");
        last_number = last;
    }
    let page = all(data.path(), "shop");
    let numbers: Vec<u64> = texts(&page).iter().map(|text| text.split(' ').next().unwrap().parse().unwrap()).collect();
    let expected: Vec<u64> = (line - numbers.len() as u64..line).collect();
    assert_eq!(numbers, expected, "seed {seed}: the newest, without a gap");
    let kept = bytes(data.path(), "shop");
    assert!(kept > SMALL.per_app.0 / 2 && page.notes.is_empty(), "seed {seed}: {kept}");
}

#[test]
fn all_apps_together_keep_within_theirs() {
    let limits = LogLimits { per_app: Bytes::mib(1), total: Bytes::mib(2) };
    let data = tempfile::tempdir().unwrap();
    let mut random = StdRng::seed_from_u64(16);
    let names: Vec<String> = (0..12).map(|number| format!("acme/app-{number}")).collect();
    let total = || names.iter().map(|name| bytes(data.path(), name)).sum::<u64>();
    let mut desk = Desk::new(data.path(), limits);
    // What was there before this writer counts as well.
    for line in 0..100 {
        desk.print("acme/app-0", line, &"x".repeat(4_000));
    }
    desk.flush();
    let mut desk = Desk::new(data.path(), limits);
    for line in 0..2_000 {
        let name = &names[random.random_range(1..names.len())];
        desk.print(name, line, &format!("{line} {}", "x".repeat(random.random_range(0..4_000))));
        if line % 10 == 0 {
            desk.flush();
            assert!(total() <= limits.total.0, "{}", total());
        }
    }
    desk.flush();
    assert!(segments(data.path(), "acme/app-0").is_empty(), "the one whose entries are oldest loses them first");
    assert!(!desk.logs.reader().knows(&app("acme/app-0")).unwrap());
    assert!(names[1..].iter().all(|name| !all(data.path(), name).records.is_empty()));
    // It may come back.
    desk.print("acme/app-0", 1, "again");
    desk.flush();
    assert_eq!(texts(&all(data.path(), "acme/app-0")), ["again"]);
}

#[test]
fn sleeping_apps_hold_nothing_open() {
    let data = tempfile::tempdir().unwrap();
    let mut desk = Desk::since(0, data.path(), SMALL);
    desk.shelf.open_max = 4;
    for line in 0..200 {
        desk.print(&format!("app-{}", line % 20), line, &format!("line {line}"));
        if line % 3 == 0 {
            desk.flush();
        }
        assert!(desk.shelf.open_count() <= 4);
    }
    desk.flush();
    let total: usize = (0..20).map(|number| all(data.path(), &format!("app-{number}")).records.len()).sum();
    assert_eq!(total, 200);
    assert!(desk.shelf.rest(now()));
    assert!(!desk.shelf.rest(now() + IDLE_TIME) && desk.shelf.open_count() == 0);
    desk.print("app-3", 999, "again");
    desk.flush();
    let page = all(data.path(), "app-3");
    assert_eq!((page.records.len(), texts(&page).pop().unwrap().as_str()), (11, "again"));
}

#[test]
fn nobody_else_may_look() {
    use std::os::unix::fs::PermissionsExt as _;
    let data = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(data.path(), SMALL);
    desk.print("shop", 0, "secret");
    desk.flush();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let file = segments(data.path(), "shop").remove(0);
    let folder = file.parent().unwrap();
    assert_eq!([mode(&file), mode(folder), mode(folder.parent().unwrap())], [0o600, 0o700, 0o700]);
}
