//! Components in a browser: the same answers as from a node, and one error where that cannot be.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use cumulet_scenarios::paths;
use cumulet_servers::{Browser, Jco};

use crate::templates::search_path;

/// Programs on the search path, each with what its script does.
type Programs<'a> = &'a [(&'a str, &'a str)];

/// What a browser answers, beside a node that serves the same: see `tests/browser` and the tables of `tests/data/browser`.
#[test]
fn a_component_answers_in_a_browser_as_on_the_node() -> anyhow::Result<()> {
    let folder = paths::repository().join("tests/browser");
    let what = "components in a browser";
    let Some(browser) = Browser::find(&folder) else { return Browser::left_out(what) };
    let Some(jco) = Jco::find(&paths::repository()) else { return Jco::left_out(what) };
    let mut command = browser.tests(&folder, &["component.test.js"]);
    command.env("CUMULET_BIN", paths::binary()?.canonicalize()?).env("PATH", jco.search_path());
    let output = command.stdin(Stdio::null()).output()?;
    let told = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
    std::io::stderr().write_all(&output.stderr)?;
    Ok(())
}

/// What the program says when a page of `component` is built with these programs and no others.
fn refused(component: &Path, programs: Programs<'_>) -> anyhow::Result<String> {
    let path = search_path(programs)?;
    let folder = tempfile::tempdir()?;
    let mut command = Command::new(paths::binary()?);
    command.arg("build").arg(component).args(["--target", "browser", "-o", "page"]).current_dir(folder.path());
    let output = command.env("PATH", path.path()).env("NO_COLOR", "1").stdin(Stdio::null()).output()?;
    let left: Vec<_> = std::fs::read_dir(folder.path())?.collect();
    ensure!(left.is_empty(), "something is left: {left:?}");
    let said = String::from_utf8(output.stderr)?;
    // What a shell says about a missing program is the shell's own.
    let said: String = said.lines().filter(|line| !line.starts_with("  | ")).flat_map(|line| [line, "\n"]).collect();
    let shown = component.display().to_string();
    Ok(format!("exit {:?}\n{}", output.status.code(), said.replace(&shown, "COMPONENT")))
}

#[test]
fn a_page_that_cannot_be_made_is_one_error() -> anyhow::Result<()> {
    let guest = paths::guest("hostile.wasm")?.canonicalize()?;
    let newer = paths::guest("hostile_p3.wasm")?.canonicalize()?;
    let text = paths::text_guest("core-module.wat")?.canonicalize()?;
    let jco = |version: &str, does: &str| format!("case \"$1\" in --version) echo {version};; *) {does};; esac");
    let fails = jco("1.35.0", "echo 'ComponentError: that is beyond me' >&2; exit 1");
    let cases: [(&str, &Path, Programs<'_>); 7] = [
        ("missing", &guest, &[]),
        ("old", &guest, &[("jco", &jco("1.9.2", "exit 0"))]),
        ("fails", &guest, &[("jco", &fails)]),
        ("writes-nothing", &guest, &[("jco", &jco("1.35.0", "exit 0"))]),
        (
            "without-node",
            &guest,
            &[("jco", &jco("1.35.0", "echo 'env: node: No such file or directory' >&2; exit 127"))],
        ),
        ("newer-wasi", &newer, &[]),
        ("core-module", &text, &[]),
    ];
    let mut said = String::new();
    for (name, component, programs) in cases {
        let report = refused(component, programs).with_context(|| name.to_owned())?;
        writeln!(said, "{name}: {report}")?;
    }
    insta::assert_snapshot!("browser-refused", said);
    Ok(())
}
