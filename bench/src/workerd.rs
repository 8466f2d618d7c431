//! workerd: JavaScript in a warm isolate, which all requests share.

use std::fs;
use std::path::Path;

use crate::process::{LISTEN, Launch};
use crate::settings::Settings;

/// Its program, below the repository.
const PROGRAM: &str = "bench/peers/node_modules/@cloudflare/workerd-linux-64/bin/workerd";

/// How it is started with modules, by name and text, of which the first answers; or why it is left out. What it reads is
/// written into `folder`.
pub(crate) fn launch(folder: &Path, modules: &[(&str, &str)]) -> Result<Launch, String> {
    let program = Settings::root().join(PROGRAM);
    if !program.is_file() {
        return Err("workerd: npm install --prefix bench/peers, whose lock file names its version".into());
    }
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).map(|()| path).map_err(|error| format!("workerd: {name}: {error}"))
    };
    for (name, text) in modules {
        write(name, text)?;
    }
    let config = write("workerd.capnp", &config(modules))?;
    let launch = Launch::new("workerd, one warm isolate", program).args(["serve".as_ref(), config.as_os_str()]);
    Ok(launch.args(["--socket-addr", &format!("http={LISTEN}")]))
}

fn config(modules: &[(&str, &str)]) -> String {
    let module = |(name, _): &(&str, &str)| format!("(name = {name:?}, esModule = embed {name:?})");
    let modules = modules.iter().map(module).collect::<Vec<_>>().join(", ");
    format!(
        r#"using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", http = (), service = "main")],
);
const worker :Workerd.Worker = (modules = [{modules}], compatibilityDate = "2026-01-01");
"#
    )
}
