//! `cumulet new`: a project from a template.

use std::path::Path;

use clap::Args;
use cumulet_spec::id::ComponentName;
use serde_json::json;

use crate::command::Ended;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::template::{TEMPLATES, Template};
use crate::terminal::Terminal;

/// Make a folder with a new project from a template
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cumulet new --list\n  cumulet new hello --template rust-http\n  cumulet new page --template ts-http && cd page && cumulet up"
)]
pub(crate) struct New {
    /// The name of the app and of its folder: 1 to 63 of a-z, 0-9 and -
    #[arg(required_unless_present = "list")]
    name: Option<String>,
    /// The template to start from
    #[arg(long, value_name = "T", required_unless_present = "list")]
    template: Option<String>,
    /// List the templates
    #[arg(long, conflicts_with_all = ["name", "template"])]
    list: bool,
}

impl New {
    pub(crate) fn execute(self, terminal: Terminal) -> Ended {
        match (self.name, self.template) {
            (Some(name), Some(template)) => make(&name, &template, terminal),
            _ => Ok(list(terminal)),
        }
    }
}

fn list(terminal: Terminal) -> Exit {
    if terminal.is_json() {
        let templates = TEMPLATES.iter().map(|template| json!({ "name": template.name, "about": template.about }));
        terminal.json(&json!({ "templates": templates.collect::<Vec<_>>() }));
    } else {
        for template in TEMPLATES {
            terminal.data(&format!("{:<14} {}", template.name, template.about));
        }
    }
    Exit::DONE
}

fn make(name: &str, template: &str, terminal: Terminal) -> Ended {
    let name = ComponentName::parse(name).map_err(|error| {
        Failure::new(Exit::USAGE, format!("`{name}` cannot be the name of an app"))
            .because(&error)
            .next("use 1 to 63 of a-z, 0-9 and -")
    })?;
    let template = Template::find(template).ok_or_else(|| {
        Failure::new(Exit::USAGE, format!("there is no template `{template}`")).next(format!(
            "take one of: {}",
            TEMPLATES.iter().map(|template| template.name).collect::<Vec<_>>().join(", ")
        ))
    })?;
    let folder = Path::new(name.as_str());
    if folder.exists() {
        return Err(Failure::new(Exit::FAILED, "there is already something of this name")
            .at(folder)
            .next("choose another name, or move it away"));
    }
    let files = template.write(&name, folder).map_err(|error| {
        let failure = Failure::new(Exit::FAILED, "cannot write the new project").at(folder).because(&error);
        failure.next("look at the folder's permissions and at the free space")
    })?;
    if terminal.is_json() {
        terminal.json(&json!({ "folder": name.as_str(), "template": template.name, "files": files }));
    } else {
        terminal.done(&format!("made {name} from {}", template.name));
        terminal.note(&format!("next: cd {name} && {}", template.start));
    }
    Ok(Exit::DONE)
}
