//! An OCI registry, which wants to be told by a file where it keeps things and whom it lets in.

use std::path::Path;
use std::process::Command;

/// The user of a registry that asks for a password.
pub const REGISTRY_USER: &str = "me";
/// Its password.
pub const REGISTRY_PASSWORD: &str = "hunter2";
/// The two, as the registry wants them (`htpasswd -nbBC 5`).
const PASSWORD_LINE: &str = "me:$2y$05$YPcRk1gQIQr9BHTwdRzqMeS1vTRB6QXmHT3GdoLPguEFaxwtwqrMi\n";

/// Writes the registry's configuration, and returns the command that starts it.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn prepare(program: &Path, folder: &Path, port: u16, protected: bool) -> anyhow::Result<Command> {
    let (data, passwords) = (folder.join("data"), folder.join("passwords"));
    let mut lines = vec![
        "version: 0.1".to_owned(),
        "log: {level: error, accesslog: {disabled: true}}".to_owned(),
        format!("storage: {{filesystem: {{rootdirectory: {data:?}}}}}"),
        format!("http: {{addr: \"127.0.0.1:{port}\"}}"),
    ];
    if protected {
        std::fs::write(&passwords, PASSWORD_LINE)?;
        lines.push(format!("auth: {{htpasswd: {{realm: registry, path: {passwords:?}}}}}"));
    }
    let file = folder.join("config.yml");
    std::fs::write(&file, lines.join("\n"))?;
    let mut command = Command::new(program);
    command.arg("serve").arg(file);
    Ok(command)
}
