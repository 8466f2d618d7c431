//! Whatever is done to a compiled file, it is the one that was put, or none.

use super::*;
use crate::kill;
use std::fs;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::PathBuf;

use rustix::fs::Mode;

const CODE: &[u8] = b"native code";

struct Fixture {
    folder: tempfile::TempDir,
    store: CompiledStore,
    path: PathBuf,
}

fn key(class: &'static str) -> CompiledKey {
    CompiledKey { digest: Digest::of(b"component"), class, fingerprint: "0123456789abcdef".into() }
}

fn open(folder: &Path) -> CompiledStore {
    CompiledStore::open(folder, NodeKey::open(folder).unwrap()).unwrap()
}

/// A store with one file that was verified and recognised.
fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let path = store.folder.path(&key("plain").name());
    drop(store.put(&key("plain"), CODE).unwrap());
    // Where the clock is coarse, the first looks come within the tick in which the file was renamed.
    while store.counts().recognised == 0 {
        assert!(store.find(&key("plain")).unwrap().is_some());
    }
    Fixture { folder, store, path }
}

/// The code as whoever maps it gets it.
fn code(file: &VerifiedFile) -> Vec<u8> {
    let mut bytes = fs::read(file.path_of_descriptor()).unwrap();
    bytes.truncate(usize::try_from(file.code_bytes()).unwrap());
    bytes
}

fn put_elsewhere(class: &'static str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    drop(store.put(&key(class), CODE).unwrap());
    let path = store.folder.path(&key(class).name());
    (folder, path)
}

fn change(path: &Path, at: u64) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(b"X", at).unwrap();
}

fn resize(path: &Path, by: i64) {
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(fs::metadata(path).unwrap().len().checked_add_signed(by).unwrap()).unwrap();
}

#[test]
fn what_was_put_is_found_again() {
    let made = fixture();
    assert_eq!(code(&made.store.find(&key("plain")).unwrap().unwrap()), CODE);
    assert_eq!(made.store.counts().refused, 0);
    let again = open(made.folder.path());
    assert_eq!(code(&again.find(&key("plain")).unwrap().unwrap()), CODE);
    assert_eq!(again.counts(), StoreCounts { recognised: 0, verified: 1, refused: 0 });
    assert!(again.find(&key("async")).unwrap().is_none());
    assert_eq!(made.store.usage().unwrap().files, 1);
}

#[test]
fn every_way_to_tamper_is_refused() {
    type Tamper = fn(&Path);
    let length = (CODE.len() + trailer::TRAILER_BYTES) as u64;
    assert_eq!(fs::metadata(fixture().path).unwrap().len(), length);
    let ways: [(&str, Tamper); 17] = [
        ("a byte of the code", |path| change(path, 3)),
        ("a byte of the mark", |path| change(path, CODE.len() as u64)),
        ("a byte of the seal", |path| change(path, fs::metadata(path).unwrap().len() - 1)),
        ("truncated by a byte", |path| resize(path, -1)),
        ("truncated to the code", |path| resize(path, -i64::try_from(trailer::TRAILER_BYTES).unwrap())),
        ("emptied", |path| drop(fs::File::create(path).unwrap())),
        ("extended", |path| resize(path, 1)),
        ("extended by a trailer", |path| {
            let bytes = fs::read(path).unwrap();
            let tail = &bytes[CODE.len()..];
            fs::write(path, [&bytes, tail].concat()).unwrap();
        }),
        ("of another node", |path| assert!(fs::copy(put_elsewhere("plain").1, path).is_ok())),
        ("moved here from another node", |path| {
            let (theirs, from) = put_elsewhere("plain");
            fs::rename(from, path).unwrap();
            drop(theirs);
        }),
        ("a link to itself elsewhere", |path| {
            let kept = path.with_extension("kept");
            fs::rename(path, &kept).unwrap();
            symlink(kept, path).unwrap();
        }),
        ("a link to nothing", |path| {
            fs::remove_file(path).unwrap();
            symlink("/nowhere", path).unwrap();
        }),
        ("a pipe", |path| {
            fs::remove_file(path).unwrap();
            rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        }),
        ("a socket", |path| {
            fs::remove_file(path).unwrap();
            // The path of a socket is short, that of the store may be long.
            let folder = tempfile::tempdir_in("/tmp").unwrap();
            let bound = std::os::unix::net::UnixListener::bind(folder.path().join("s")).unwrap();
            fs::rename(folder.path().join("s"), path).unwrap();
            drop(bound);
        }),
        ("a folder", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
            fs::write(path.join("inside"), b"x").unwrap();
        }),
        ("for others to read", |path| fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap()),
        ("for others to write", |path| fs::set_permissions(path, fs::Permissions::from_mode(0o622)).unwrap()),
    ];
    for (name, tamper) in ways {
        let made = fixture();
        tamper(&made.path);
        assert!(made.store.find(&key("plain")).unwrap().is_none(), "{name}, after it was verified");
        assert_eq!(made.store.counts().refused, 1, "{name}");
        assert!(open(made.folder.path()).find(&key("plain")).unwrap().is_none(), "{name}, after a start");
        assert_eq!(code(&made.store.put(&key("plain"), CODE).unwrap()), CODE, "{name}: not healed");
        assert_eq!(code(&made.store.find(&key("plain")).unwrap().unwrap()), CODE, "{name}: not healed");
    }
}

#[test]
fn a_file_is_not_trusted_under_another_name() {
    let made = fixture();
    let other = made.store.folder.path(&key("async").name());
    fs::rename(&made.path, &other).unwrap();
    assert!(made.store.find(&key("async")).unwrap().is_none());
    assert!(made.store.find(&key("plain")).unwrap().is_none());
}

#[test]
fn the_descriptor_gives_what_was_verified() {
    let made = fixture();
    let found = made.store.find(&key("plain")).unwrap().unwrap();
    let evil = made.path.with_extension("evil");
    fs::write(&evil, fs::read(&made.path).unwrap().iter().map(|byte| !byte).collect::<Vec<u8>>()).unwrap();
    fs::rename(evil, &made.path).unwrap();
    assert_eq!(code(&found), CODE);
    fs::remove_file(&made.path).unwrap();
    assert_eq!(code(&found), CODE);
}

#[test]
fn what_was_touched_is_verified_anew() {
    let made = fixture();
    let before = made.store.counts();
    let changed = fs::metadata(&made.path).map(|found| (found.ctime(), found.ctime_nsec())).unwrap();
    let now = || fs::metadata(&made.path).map(|found| (found.ctime(), found.ctime_nsec())).unwrap();
    while now() == changed {
        fs::set_permissions(&made.path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    assert_eq!(code(&made.store.find(&key("plain")).unwrap().unwrap()), CODE);
    assert_eq!(made.store.counts().verified, before.verified + 1);
    assert_eq!(made.store.counts().recognised, before.recognised);
}

/// A change that keeps the size and comes right after the file was recognised, over and over: it may fall into the same
/// tick of the clock, and is seen all the same.
#[test]
fn a_change_within_a_tick_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let path = store.folder.path(&key("plain").name());
    for round in 0..200 {
        drop(store.put(&key("plain"), CODE).unwrap());
        for _ in 0..round % 4 {
            assert!(store.find(&key("plain")).unwrap().is_some());
        }
        change(&path, 3);
        assert!(store.find(&key("plain")).unwrap().is_none(), "round {round}");
    }
}

#[test]
fn threads_that_put_and_find_agree() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let keys: Vec<CompiledKey> = (0..8u8)
        .map(|number| CompiledKey { digest: Digest::of(&[number]), class: "plain", fingerprint: "f".into() })
        .collect();
    let work = &|thread: usize, turn: usize| {
        let key = &keys[(thread + turn) % keys.len()];
        let bytes = key.digest.to_hex().into_bytes();
        if turn.is_multiple_of(3) {
            assert_eq!(code(&store.put(key, &bytes).unwrap()), bytes);
        } else if let Some(found) = store.find(key).unwrap() {
            assert_eq!(code(&found), bytes);
        }
    };
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || (0..40).for_each(|turn| work(thread, turn)));
        }
    });
    assert_eq!(store.usage().unwrap().files, 8);
}

/// Files are put by a process that is killed: what is found afterwards is whole.
#[test]
fn a_kill_leaves_whole_files_or_none() {
    let bytes = |number: u64| vec![number.to_le_bytes()[0]; 40_000];
    let numbered = |number: u64| CompiledKey { fingerprint: format!("{number:x}"), ..key("plain") };
    let name = "compiled::tests::a_kill_leaves_whole_files_or_none";
    kill::repeatedly(
        name,
        |folder, number| drop(open(folder).put(&numbered(number), &bytes(number)).unwrap()),
        |folder, done| {
            let store = open(folder);
            for number in 0..done {
                assert_eq!(code(&store.find(&numbered(number)).unwrap().unwrap()), bytes(number), "file {number}");
            }
            drop(store.find(&numbered(done)).unwrap());
            assert_eq!(store.counts().refused, 0, "a file that was under way stands there in part");
        },
    );
}

#[test]
fn a_large_file_is_read_in_pieces() {
    let made = fixture();
    let large: Vec<u8> = (0..700_001u32).map(|number| number.to_le_bytes()[1]).collect();
    assert_eq!(code(&made.store.put(&key("large"), &large).unwrap()), large);
    change(&made.store.folder.path(&key("large").name()), 600_000);
    assert!(open(made.folder.path()).find(&key("large")).unwrap().is_none());
}

#[test]
fn what_is_not_used_is_removed() {
    let made = fixture();
    drop(made.store.put(&key("async"), b"other").unwrap());
    let stray = made.path.with_file_name("README");
    fs::write(&stray, b"mine").unwrap();
    let bytes = fs::metadata(made.store.folder.path(&key("async").name())).unwrap().len();
    let removed = made.store.remove_unused(|stored| {
        assert_eq!((stored.digest, stored.fingerprint), (Digest::of(b"component"), "0123456789abcdef"));
        stored.class == "plain"
    });
    assert_eq!(removed.unwrap(), Usage { files: 1, bytes });
    assert!(made.store.find(&key("async")).unwrap().is_none());
    assert!(made.store.find(&key("plain")).unwrap().is_some());
    assert!(stray.exists());
}

#[test]
fn a_folder_that_is_open_to_others_is_refused() {
    let made = fixture();
    let folder = made.folder.path().join("compiled");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let error = CompiledStore::open(made.folder.path(), NodeKey::open(made.folder.path()).unwrap()).unwrap_err();
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(error.to_string().starts_with("cannot trust the folder"), "{error}");
    assert_eq!(source, "others may use it (mode 755); run chmod 700, or remove it");
}
