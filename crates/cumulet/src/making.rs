//! Runs the build commands of a target and tells how that went.

mod tools;

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
