//! `cumulet build --target browser`: a page that runs one component.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cumulet_node::browser::{Draft, DraftError, PageFile, Settings, Unfit, unfit};
use cumulet_spec::id::ComponentName;
use cumulet_spec::manifest::{Component, Problem};
use serde_json::json;

use crate::command::{Ended, check};
use crate::environment::variables;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::fetching;
use crate::making;
use crate::review::{self, Purpose, Reviewed};
use crate::target::Target;
use crate::terminal::Terminal;

/// The folder where nobody names another.
const FOLDER: &str = "browser";

/// Makes the page of `wanted`, or of the one component that requests are routed to, in `output`.
pub(super) async fn build(
    mut target: Target,
    wanted: Option<&ComponentName>,
    output: Option<&Path>,
    terminal: Terminal,
) -> Ended {
    let name = chosen(&target, wanted)?;
    target.manifest.components.retain(|known, _| *known == name);
    target.manifest.http.retain(|route| route.component == name);
    fetching::fetch(&mut target, terminal).await?;
    making::build(&target, |_| true, terminal).await?;
    let reviewed = review::review(&target, Purpose::Show)?;
    let (Some(component), [one]) = (target.manifest.components.get(&name), reviewed.as_slice()) else {
        return Err(Failure::new(Exit::FAILED, format!("the component `{name}` is not there")));
    };
    fits(&target, component, one)?;
    check::remarks(&target, &reviewed, terminal);
    let folder = output.map_or_else(|| folder(&target), Path::to_owned);
    let settings = Settings::read((&target.manifest.app.name, &name), component, &target.base_dir, &variables().into())
        .map_err(|error| unread(&target, component, &error))?;
    let files = page((&name, one.path.as_path()), &settings, &folder, terminal).await?;
    tell((&target, &name), &folder, &files, terminal);
    Ok(Exit::DONE)
}

/// Beside the manifest, or where a bare component was named.
fn folder(target: &Target) -> PathBuf {
    match &target.file {
        Some(_) if target.base_dir != Path::new(".") => target.base_dir.join(FOLDER),
        _ => PathBuf::from(FOLDER),
    }
}

/// The component that the page is for.
fn chosen(target: &Target, wanted: Option<&ComponentName>) -> Result<ComponentName, Box<Failure>> {
    let routed: BTreeSet<&ComponentName> = target.manifest.http.iter().map(|route| &route.component).collect();
    let all = &target.manifest.components;
    let names = |names: Vec<&ComponentName>| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let failure = |what: String| match &target.file {
        Some(file) => Failure::new(Exit::USAGE, what).at(&file.path),
        None => Failure::new(Exit::USAGE, what),
    };
    if let Some(wanted) = wanted {
        let known = all.contains_key(wanted).then(|| wanted.clone());
        let refused = || failure(format!("there is no component `{wanted}`"));
        return known.ok_or_else(|| refused().next(format!("name one of: {}", names(all.keys().collect()))));
    }
    let of = if routed.is_empty() { all.keys().collect() } else { Vec::from_iter(routed) };
    match of.as_slice() {
        [only] => Ok((*only).clone()),
        _ => Err(failure("a page runs one component, and there are several".to_owned()).next(format!(
            "name it, as in `--component {}`: {}",
            of.first().map_or("NAME", |name| name.as_str()),
            names(of.clone())
        ))),
    }
}

/// Whether the component can run in a browser.
fn fits(target: &Target, component: &Component, one: &Reviewed) -> Result<(), Box<Failure>> {
    let reasons = unfit(component, &one.inspection, &one.checked);
    if reasons.is_empty() {
        // It may be wrong in a way that has nothing to do with browsers.
        return review::refused(target, std::slice::from_ref(one)).map_or(Ok(()), Err);
    }
    let problem = |Unfit { message, help, capability }: Unfit| {
        let grant = capability.and_then(|capability| component.spans.grant.get(&capability));
        Problem::new(grant.unwrap_or(&component.spans.name).clone(), message).with_help(help)
    };
    let what = format!("the component `{}` cannot run in a browser", one.name);
    let failure = target.problems(what, reasons.into_iter().map(problem).collect());
    Err(if target.file.is_some() { failure } else { failure.at(&one.path) })
}

/// Makes the page.
async fn page(
    (name, path): (&ComponentName, &Path),
    settings: &Settings,
    folder: &Path,
    terminal: Terminal,
) -> Result<Vec<PageFile>, Box<Failure>> {
    let step = terminal.step(format!("transpiling {name} with jco"));
    let draft = Draft::begin(path, folder).map_err(|error| undone(folder, &error))?;
    let show = |line: &str| step.suspend(|| terminal.relay(line));
    making::transpile(&draft, name, terminal, show).await?;
    draft.finish(settings).map_err(|error| undone(folder, &error))
}

fn undone(folder: &Path, error: &DraftError) -> Box<Failure> {
    let what = "cannot make the page";
    match error {
        DraftError::Component { path, source } => Failure::new(Exit::FAILED, what).at(path).because(source),
        DraftError::Text(invalid) => Failure::new(Exit::INVALID, what).because(invalid),
        DraftError::Occupied { .. } => Failure::new(Exit::USAGE, what)
            .at(folder)
            .because(error)
            .next("name a folder that is empty or not there: -o DIR"),
        DraftError::Write { .. } => Failure::new(Exit::FAILED, what)
            .because(error)
            .next("look at the folder's permissions and at the free space"),
        DraftError::Untranspiled => {
            Failure::new(Exit::FAILED, what).because(error).next("see which jco is on the PATH: `jco --version`")
        }
        DraftError::TooLarge { .. } => Failure::new(Exit::INVALID, what)
            .because(error)
            .next("make the component smaller: build it for release, without debug information"),
    }
}

fn unread(target: &Target, component: &Component, error: &cumulet_node::values::ValueError) -> Box<Failure> {
    let config = cumulet_spec::grant::Capability::Config;
    let span = component.spans.grant.get(&config).unwrap_or(&component.spans.name).clone();
    target.problem("a configuration value cannot be had", Problem::new(span, error.to_string()))
}

fn tell((target, name): (&Target, &ComponentName), folder: &Path, files: &[PageFile], terminal: Terminal) {
    let bytes: u64 = files.iter().map(|file| file.bytes).sum();
    let app = &target.manifest.app.name;
    let folder = folder.display();
    if terminal.is_json() {
        terminal.json(&json!({
            "app": app.as_str(), "component": name.as_str(), "folder": folder.to_string(), "bytes": bytes, "files": files,
        }));
        return;
    }
    terminal.done(&format!("{app}: {} files, {} KiB in {folder}", files.len(), bytes.div_ceil(1 << 10)));
    terminal.note(&format!("next: serve them with any web server, as in: python3 -m http.server --directory {folder}"));
}
