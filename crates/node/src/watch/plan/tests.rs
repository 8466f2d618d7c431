use std::time::Duration;

use super::*;
use crate::watch::Watch;

const MANIFEST: &str = r#"
manifest = 1
[app]
name = "a"
[component.front]
source = "out/front.wasm"
build = { command = "true", dir = "front", watch = ["src/**/*.rs", "Cargo.toml"] }
[component.back]
source = "back.wasm"
build = { command = "true", dir = "back" }
[[trigger.http]]
route = "/*"
component = "front"
"#;

struct App {
    folder: tempfile::TempDir,
    base: PathBuf,
    plan: Plan,
}

fn app() -> App {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().canonicalize().unwrap();
    for dir in ["front/src/deep", "back/src", "back/target/debug", "out"] {
        std::fs::create_dir_all(base.join(dir)).unwrap();
    }
    std::fs::write(base.join("cumulet.toml"), MANIFEST).unwrap();
    std::fs::write(base.join("out/front.wasm"), "1").unwrap();
    let manifest = Manifest::parse(MANIFEST).unwrap();
    let plan = Plan::new(&manifest, Place { base_dir: &base, file: Some(Path::new("cumulet.toml")) }).unwrap();
    App { folder, base, plan }
}

fn change_of(app: &mut App, path: &str) -> String {
    let path = app.base.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "changed").unwrap();
    words(&app.plan.change(&[path].into()))
}

fn words(change: &Change) -> String {
    let mut words = Vec::new();
    if change.manifest {
        words.push("manifest".to_owned());
    }
    words.extend(change.build.iter().map(|name| format!("build {name}")));
    words.extend(change.load.iter().map(|name| format!("load {name}")));
    words.join(", ")
}

#[test]
fn what_a_change_means() {
    let cases = [
        ("cumulet.toml", "manifest"),
        ("out/front.wasm", "load front"),
        ("back.wasm", "load back"),
        ("front/src/lib.rs", "build front"),
        ("front/src/deep/er/mod.rs", "build front"),
        ("front/Cargo.toml", "build front"),
        ("front/src/lib.rs~", ""),
        ("front/Cargo.lock", ""),
        ("front/sub/Cargo.toml", ""),
        ("back/main.py", "build back"),
        ("back/src/deep/x.py", "build back"),
        ("back/target/debug/x", ""),
        ("back/.git/index", ""),
        ("elsewhere/x.rs", ""),
    ];
    let mut app = app();
    for (path, expect) in cases {
        assert_eq!(change_of(&mut app, path), expect, "{path}");
        assert_eq!(change_of(&mut app, path), "", "{path} with the same content");
    }
    std::fs::remove_file(app.base.join("front/src/lib.rs")).unwrap();
    assert_eq!(words(&app.plan.change(&[app.base.join("front/src/lib.rs")].into())), "build front");
}

#[test]
fn what_a_build_wrote_is_known() {
    let mut app = app();
    std::fs::write(app.base.join("out/front.wasm"), "2").unwrap();
    app.plan.acknowledge();
    assert_eq!(words(&app.plan.change(&[app.base.join("out/front.wasm")].into())), "");
    assert_eq!(change_of(&mut app, "out/front.wasm"), "load front");
}

#[tokio::test]
async fn a_folder_that_a_build_made_is_watched() {
    let App { folder, base, plan } = app();
    std::fs::remove_dir_all(base.join("out")).unwrap();
    let mut watch = Watch::start(plan).unwrap();
    std::fs::create_dir(base.join("out")).unwrap();
    std::fs::write(base.join("out/front.wasm"), "built").unwrap();
    std::fs::write(base.join("cumulet.toml"), "edited while it was built").unwrap();
    watch.acknowledge().unwrap();
    let change = tokio::time::timeout(Duration::from_secs(60), watch.changed()).await.unwrap();
    assert_eq!(words(&change), "manifest");
    std::fs::write(base.join("out/front.wasm"), "built by somebody else").unwrap();
    let change = tokio::time::timeout(Duration::from_secs(60), watch.changed()).await.unwrap();
    assert_eq!(words(&change), "load front");
    drop(folder);
}

#[test]
fn folders_to_watch() {
    let app = app();
    let mut folders: Vec<String> = Vec::new();
    for (path, mode) in app.plan.folders() {
        let path = path.strip_prefix(&app.base).unwrap().display().to_string();
        folders.push(format!("{path} {}", if mode == RecursiveMode::Recursive { "recursive" } else { "alone" }));
    }
    assert_eq!(
        folders,
        [" alone", "back alone", "back/src recursive", "front alone", "front/src recursive", "out alone"]
    );
}

#[test]
fn prefixes_of_patterns() {
    let check = |pattern: &str, prefix: &str, recursive: bool| {
        let mode = if recursive { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
        assert_eq!(literal_prefix(pattern), (PathBuf::from(prefix), mode), "{pattern}");
    };
    check("src/**/*.rs", "src", true);
    check("**/*.rs", "", true);
    check("*.rs", "", false);
    check("Cargo.toml", "", false);
    check("./src/main.py", "src", false);
    check("a/b*/c.rs", "a", true);
}

#[tokio::test]
async fn a_burst_of_writes_is_one_change() {
    let App { folder, base, plan } = app();
    let mut watch = Watch::start(plan).unwrap();
    for text in ["1", "2", "3"] {
        std::fs::write(base.join("front/src/lib.rs"), text).unwrap();
        std::fs::write(base.join("front/Cargo.toml"), text).unwrap();
    }
    let change = tokio::time::timeout(Duration::from_secs(60), watch.changed()).await.unwrap();
    assert_eq!(words(&change), "build front");
    // Replaced as editors do: written beside, renamed.
    std::fs::write(base.join("cumulet.toml.new"), "other").unwrap();
    std::fs::rename(base.join("cumulet.toml.new"), base.join("cumulet.toml")).unwrap();
    let change = tokio::time::timeout(Duration::from_secs(60), watch.changed()).await.unwrap();
    assert_eq!(words(&change), "manifest");
    drop(folder);
}
