//! Where data lies.

use super::super::facts::Facts;
use super::{Check, Verdict, missing, ok, size, unknown, unsaid, weak};

pub(super) const CHECKS: &[Check] = &[
    Check { name: "data-folder", why: "everything of a node lies there", judge: folder },
    Check {
        name: "permissions",
        why: "keys, secrets, tenants' data and compiled code are for the node alone; it refuses what others may use",
        judge: permissions,
    },
    Check { name: "in-use", why: "one node at a time uses a data folder", judge: in_use },
    Check {
        name: "free-space",
        why: "without it nothing can be deployed, and after a while nothing billed",
        judge: space,
    },
    Check { name: "free-files", why: "a file system may be out of them with space left", judge: files },
    Check {
        name: "durable-writes",
        why: "what is acknowledged has to be on the disk; deploys and embedded stores wait for it",
        judge: sync,
    },
];

/// Less is not enough for a new data folder and its ledger.
const SPACE_MIN: u64 = 64 << 20;
/// Less is not enough for the records of usage that are kept, and some apps.
const SPACE_COMFORTABLE: u64 = 2 << 30;
const FILES_MIN: u64 = 1_000;
const FILES_COMFORTABLE: u64 = 50_000;
/// A disk that takes longer makes each deploy, and each write of an embedded store, slow.
const SYNC_COMFORTABLE_US: u64 = 20_000;

fn folder(facts: &Facts) -> Verdict {
    let storage = &facts.storage;
    let path = storage.folder.display();
    match (storage.exists, storage.is_writable) {
        (true, true) => ok(path.to_string()),
        (true, false) => missing(
            format!("{path} cannot be written by this user"),
            "run this as the node's user, or name another with --data-dir",
        ),
        (false, true) => ok(format!("{path} is not there yet; the node makes it")),
        (false, false) => missing(
            format!("{path} is not there, and this user cannot make it"),
            "make it, for the node's user alone (mode 700), or name another with --data-dir",
        ),
    }
}

fn permissions(facts: &Facts) -> Verdict {
    let modes = &facts.storage.modes;
    if modes.is_empty() {
        return unknown("nothing is there yet", "look again once the node has started");
    }
    let open: Vec<String> =
        modes.iter().filter(|(_, mode)| *mode & 0o077 != 0).map(|(name, mode)| format!("{name} ({mode:o})")).collect();
    if open.is_empty() {
        return ok(format!("{} for the owner alone", if modes.len() == 1 { "it is" } else { "all are" }));
    }
    let next = "chmod 700 the folders and 600 the files; if somebody may have written there, remove `compiled`";
    missing(format!("others may use {}", open.join(", ")), next)
}

fn in_use(facts: &Facts) -> Verdict {
    match facts.storage.is_in_use {
        Some(true) => ok("a node uses it"),
        Some(false) => ok("no node uses it"),
        None => unsaid("whether a node uses it"),
    }
}

fn space(facts: &Facts) -> Verdict {
    let next = "make room, or move the data folder; `cumulet logs` and usage records have bounds of their own";
    match facts.storage.free_bytes {
        None => unsaid("how much is free"),
        Some(free) if free < SPACE_MIN => missing(format!("{} free", size(free)), next),
        Some(free) if free < SPACE_COMFORTABLE => weak(format!("{} free", size(free)), next),
        Some(free) => ok(format!("{} free", size(free))),
    }
}

fn files(facts: &Facts) -> Verdict {
    let next = "remove small files, or move the data folder to a file system with more inodes";
    match facts.storage.free_files {
        None => ok("this file system does not count them"),
        Some(free) if free < FILES_MIN => missing(format!("{free} free"), next),
        Some(free) if free < FILES_COMFORTABLE => weak(format!("{free} free"), next),
        Some(free) => ok(format!("{free} free")),
    }
}

fn sync(facts: &Facts) -> Verdict {
    match &facts.storage.sync_us {
        None => unknown("not tried: the folder is not there, or cannot be written", "look again once it is"),
        Some(Err(why)) => missing(why.clone(), "put the data folder on a file system that supports fsync"),
        Some(Ok(micros)) if *micros > SYNC_COMFORTABLE_US => {
            weak(format!("a write is on the disk after {micros} µs"), "put the data folder on a faster disk")
        }
        Some(Ok(micros)) => ok(format!("a write is on the disk after {micros} µs")),
    }
}
