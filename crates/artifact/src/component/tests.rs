//! Whatever happens to a file, it is the component that was put, or an error that says what to do.

use super::*;
use crate::kill;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

const BYTES: &[u8] = b"a component";

fn open(folder: &Path) -> ComponentStore {
    ComponentStore::open(folder).unwrap()
}

#[test]
fn what_was_put_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let digest = store.put(BYTES).unwrap();
    assert_eq!(digest, Digest::of(BYTES));
    let hex = digest.to_hex();
    let path = folder.path().join("components").join(&hex[..2]).join(format!("{}.wasm", &hex[2..]));
    assert_eq!(fs::read(&path).unwrap(), BYTES);
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(open(folder.path()).get(&digest).unwrap(), BYTES);
    assert_eq!(store.usage().unwrap(), Usage { files: 1, bytes: BYTES.len() as u64 });
}

#[test]
fn the_same_component_is_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let path = store.folder.path(&name(&store.put(BYTES).unwrap()));
    let inode = || std::os::unix::fs::MetadataExt::ino(&fs::metadata(&path).unwrap());
    let before = inode();
    store.put(BYTES).unwrap();
    assert_eq!(inode(), before);
}

#[test]
fn damage_is_seen_and_healed() {
    type Damage = fn(&Path);
    let ways: [(&str, Damage); 6] = [
        ("changed", |path| fs::write(path, b"A component").unwrap()),
        ("truncated", |path| fs::write(path, b"a comp").unwrap()),
        ("emptied", |path| fs::write(path, b"").unwrap()),
        ("extended", |path| fs::write(path, b"a component and more").unwrap()),
        ("a link", |path| {
            fs::remove_file(path).unwrap();
            symlink("/nowhere", path).unwrap();
        }),
        ("a folder", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
    ];
    for (way, damage) in ways {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path());
        let digest = store.put(BYTES).unwrap();
        damage(&store.folder.path(&name(&digest)));
        let error = store.get(&digest).unwrap_err();
        let ComponentErrorKind::Damaged { kept } = &error.kind else { panic!("{way}: {error:?}") };
        assert!(kept.symlink_metadata().is_ok(), "{way}: not kept");
        let missing = store.get(&digest).unwrap_err();
        assert!(matches!(missing.kind, ComponentErrorKind::Missing), "{way}: {missing:?}");
        store.put(BYTES).unwrap();
        assert_eq!(store.get(&digest).unwrap(), BYTES, "{way}: not healed");

        damage(&store.folder.path(&name(&digest)));
        store.put(BYTES).unwrap();
        assert_eq!(store.get(&digest).unwrap(), BYTES, "{way}: not healed in place");
    }
}

#[test]
fn an_error_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let error = store.get(&Digest::of(b"")).unwrap_err();
    let text = format!("{error}: {}", error.kind);
    let hex = Digest::of(b"").to_hex();
    assert_eq!(text, format!("component sha256:{hex}: its bytes are not on this node; deploy the app again"));
}

#[test]
fn what_is_not_used_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let (kept, gone) = (store.put(BYTES).unwrap(), store.put(b"gone").unwrap());
    let removed = store.remove_unused(|digest| *digest == kept).unwrap();
    assert_eq!(removed, Usage { files: 1, bytes: 4 });
    assert!(store.get(&kept).is_ok() && store.get(&gone).is_err());
}

#[test]
fn a_kill_loses_nothing_that_was_acknowledged() {
    let name = "component::tests::a_kill_loses_nothing_that_was_acknowledged";
    let bytes = |number: u64| vec![number.to_le_bytes()[0]; 10_000 + usize::try_from(number).unwrap()];
    kill::repeatedly(
        name,
        |folder, number| assert_eq!(open(folder).put(&bytes(number)).unwrap(), Digest::of(&bytes(number))),
        |folder, done| {
            let store = open(folder);
            for number in 0..done {
                assert_eq!(store.get(&Digest::of(&bytes(number))).unwrap(), bytes(number), "component {number}");
            }
            let next = store.get(&Digest::of(&bytes(done)));
            assert!(!matches!(next, Err(ComponentError { kind: ComponentErrorKind::Damaged { .. }, .. })), "{next:?}");
        },
    );
}
