//! Runs the build commands of a target, and what makes a page of one, and tells how that went.

mod tools;

use cumulet_node::browser::{Draft, TRANSPILE};
use cumulet_node::build::{self, BuildError, BuildErrorKind};
use cumulet_spec::id::ComponentName;
use cumulet_spec::manifest::{Component, Position};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::target::Target;
use crate::terminal::Terminal;

/// Builds every component of `target` that has a build command and that `wanted` takes, one after the other.
///
/// # Errors
/// At the first build that fails.
pub(crate) async fn build(
    target: &Target,
    wanted: impl Fn(&ComponentName) -> bool,
    terminal: Terminal,
) -> Result<usize, Box<Failure>> {
    let mut built = 0;
    for (name, component) in &target.manifest.components {
        if let Some(command) = component.build.as_ref().filter(|_| wanted(name)) {
            let text = format!("building {name}: {}", command.command);
            let step = terminal.step(text);
            let show = |line: &str| step.suspend(|| terminal.relay(line));
            build::build(name, command, &target.base_dir, show)
                .await
                .map_err(|error| failed(target, component, error, terminal))?;
            built += 1;
        }
    }
    Ok(built)
}

/// Transpiles the component `name` for a browser.
///
/// # Errors
/// When jco is missing, too old, or fails.
pub(crate) async fn transpile(
    draft: &Draft,
    name: &ComponentName,
    terminal: Terminal,
    show: impl FnMut(&str),
) -> Result<(), Box<Failure>> {
    let what = format!("cannot transpile the component `{name}` for a browser");
    // An older one may succeed, and write what the page does not know.
    if let Some((older, step)) = tools::too_old(TRANSPILE) {
        return Err(Failure::new(Exit::FAILED, what).why(older).next(step));
    }
    let error = match draft.transpile(name, show).await {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    let failure = Failure::new(Exit::FAILED, what).because(&error.kind);
    Err(match &error.kind {
        BuildErrorKind::MissingTool { tool } => match tools::to_install(tool) {
            Some(step) => failure.next(step),
            None => failure.next(format!("install `{tool}`")),
        },
        BuildErrorKind::Shell(_) => failure.next("see that `sh` can be started"),
        _ => {
            let failure = failure.next("serve it on a node, where it may do what jco does not know");
            if terminal.is_talkative() { failure } else { failure.output(error.tail) }
        }
    })
}

fn failed(target: &Target, component: &Component, error: BuildError, terminal: Terminal) -> Box<Failure> {
    let mut failure = Failure::new(Exit::FAILED, error.to_string());
    if let Some(file) = &target.file {
        failure = failure.at(&file.path).at_position(Some(Position::of(&file.text, component.spans.build.start)));
    }
    failure = failure.because(&error.kind);
    failure = match &error.kind {
        BuildErrorKind::NoFolder(_) => failure.next("correct `dir` of the build: it starts from the manifest's folder"),
        BuildErrorKind::Shell(_) => failure.next("see that `sh` can be started"),
        BuildErrorKind::MissingTool { tool } => match tools::to_install(tool) {
            Some(step) => failure.next(step),
            None => failure.next(format!("install `{tool}`, or correct the build command")),
        },
        BuildErrorKind::Exit(_) | BuildErrorKind::Signal => {
            failure = failure.why(format!("`{}` was run in {}", error.command, error.dir.display()));
            match (tools::too_old(&error.command), tools::to_correct(&error.tail)) {
                (Some((older, step)), _) => failure.why(older).next(step),
                (None, Some(step)) => failure.next(step),
                (None, None) => failure.next("correct what the build reports, and run `cumulet build` again"),
            }
        }
    };
    // Who watched it go by does not need it again.
    if terminal.is_talkative() { failure } else { failure.output(error.tail) }
}
