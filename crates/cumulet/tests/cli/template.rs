//! Each template makes a project that builds, checks and runs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::serve::{Up, told};
use crate::session::{command, run};

/// Whether the compiler of guests is there. In CI it must be.
pub(crate) fn has_target() -> bool {
    let printed =
        Command::new("rustc").args(["--print", "target-libdir", "--target", "wasm32-wasip2"]).output().unwrap();
    let folder = String::from_utf8(printed.stdout).unwrap();
    let found = printed.status.success() && Path::new(folder.trim()).is_dir();
    assert!(found || std::env::var_os("CI").is_none(), "CI lacks the target wasm32-wasip2");
    if !found {
        println!("left out: templates, for lack of the target wasm32-wasip2 (rustup target add wasm32-wasip2)");
    }
    found
}

/// Held by who uses the shelf: projects there have one name, and so has what is built of them.
static SHELF: Mutex<()> = Mutex::new(());

/// A project that was made and built, on a shelf where its dependencies stay built from run to run.
pub(crate) struct Made {
    folder: tempfile::TempDir,
    _shelf: MutexGuard<'static, ()>,
}

impl Made {
    /// The project's folder.
    pub(crate) fn project(&self) -> PathBuf {
        self.folder.path().join("my-app")
    }

    /// The folder around it.
    pub(crate) fn around(&self) -> &Path {
        self.folder.path()
    }
}

/// Makes and builds a project called `my-app`.
pub(crate) fn make(template: &str) -> Made {
    let shelf = SHELF.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let made = run(folder.path(), ["new", "my-app", "--template", template].into_iter());
    assert!(made.status.success());
    let project = folder.path().join("my-app");
    // The same as that of the scenarios.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../templates/rust");
    std::fs::create_dir_all(&target).unwrap();
    std::os::unix::fs::symlink(target, project.join("target")).unwrap();
    let built = run(&project, ["build"].into_iter());
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    Made { folder, _shelf: shelf }
}

#[test]
fn rust_http() {
    if has_target() {
        let made = make("rust-http");
        let project = made.project();
        let up = Up::start(&project, &[]);
        let hello = up.get("/");
        assert!(hello.starts_with("HTTP/1.1 200") && hello.contains("Hello from my-app\n"), "{hello}");
        assert!(up.get("/elsewhere").starts_with("HTTP/1.1 404"));
        assert_eq!(up.stop(), Some(0));

        let up = Up::start_as("--quiet", &project, &[]);
        assert!(up.get("/").starts_with("HTTP/1.1 200"));
        assert_eq!(up.stop(), Some(0));
        assert_eq!(told(&project), "", "all went well");
    }
}

#[test]
fn rust_command() {
    if has_target() {
        let made = make("rust-command");
        let project = made.project();
        std::fs::write(project.join("words.txt"), "one two\nthree\n").unwrap();
        let input = std::fs::File::open(project.join("words.txt")).unwrap();
        let counted = command(&project).args(["run", "."]).stdin(Stdio::from(input)).output().unwrap();
        assert_eq!(String::from_utf8(counted.stdout).unwrap(), "       2       3      14 -\n");
        let seen = run(&project, ["run", ".", "--dir", ".", "--", "words.txt"].into_iter());
        assert_eq!(String::from_utf8(seen.stdout).unwrap(), "       2       3      14 words.txt\n");
        let denied = run(&project, ["run", ".", "--", "words.txt"].into_iter());
        assert_eq!(denied.status.code(), Some(1));
    }
}
