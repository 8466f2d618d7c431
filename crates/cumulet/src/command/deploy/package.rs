//! What is sent: the components' bytes, the manifest, and what it takes from this machine.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use bytes::Bytes;
use cumulet_node::signing::SIGNATURE_FILE;
use cumulet_spec::api::DeployRequest;
use cumulet_spec::grant::{Capability, ConfigSource};
use cumulet_spec::id::{ComponentName, Digest};
use cumulet_spec::manifest::{Component, Problem};

use crate::environment::variables;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::target::Target;

/// The largest file of a configuration value or of certificates, in bytes.
const TEXT_BYTES_MAX: u64 = 1 << 20;

/// An app, ready to be sent.
#[derive(Debug)]
pub(super) struct Package {
    /// What is asked of the node.
    pub(super) request: DeployRequest,
    /// The components, by their digests.
    pub(super) blobs: BTreeMap<Digest, Bytes>,
}

impl Package {
    /// Reads everything that the manifest names. Blocks.
    ///
    /// # Errors
    /// When a file cannot be read, or a variable is not set.
    pub(super) fn read(target: &Target) -> Result<Self, Box<Failure>> {
        let (mut components, mut blobs) = (BTreeMap::new(), BTreeMap::new());
        for (name, _component, path) in target.sources()? {
            let bytes = std::fs::read(&path).map_err(|error| {
                let failure = Failure::new(Exit::FAILED, format!("cannot read the component `{name}`")).at(&path);
                failure.because(&error).next("look at the file's permissions")
            })?;
            let digest = Digest::of(&bytes);
            components.insert(name.clone(), digest);
            blobs.insert(digest, bytes.into());
        }
        let request = DeployRequest {
            manifest: target.file.as_ref().map(|file| file.text.clone()).unwrap_or_default(),
            components,
            config: config(target)?,
            roots: roots(target)?,
            signature: signature(target)?,
            percent: None,
            accept_grants: false,
            note: None,
            expected_generation: None,
        };
        Ok(Self { request, blobs })
    }

    /// The size of a component, in bytes.
    pub(super) fn size(&self, component: &ComponentName) -> Option<u64> {
        let bytes = self.blobs.get(self.request.components.get(component)?)?;
        u64::try_from(bytes.len()).ok()
    }
}

/// Configuration values that the manifest takes from files and variables.
fn config(target: &Target) -> Result<BTreeMap<ComponentName, BTreeMap<String, String>>, Box<Failure>> {
    let variables = variables();
    let mut config = BTreeMap::new();
    for (name, component) in &target.manifest.components {
        let mut values = BTreeMap::new();
        for (key, source) in &component.grants.config {
            let value = match source {
                ConfigSource::Text(_) => continue,
                ConfigSource::Env(variable) => {
                    variables.get(variable).cloned().ok_or_else(|| unset(target, (name, component), (key, variable)))?
                }
                ConfigSource::File(path) => {
                    let path = target.base_dir.join(path);
                    text(&path).map_err(|error| unread(&path, &error, &format!("the value `{key}` of `{name}`")))?
                }
            };
            values.insert(key.clone(), value);
        }
        if !values.is_empty() {
            config.insert(name.clone(), values);
        }
    }
    Ok(config)
}

fn roots(target: &Target) -> Result<Vec<String>, Box<Failure>> {
    let read = |path| {
        let path = target.base_dir.join(path);
        text(&path).map_err(|error| unread(&path, &error, "the certificates that `roots` names"))
    };
    target.manifest.app.roots.iter().map(read).collect()
}

/// What `cumulet sign` left beside the manifest.
fn signature(target: &Target) -> Result<Option<String>, Box<Failure>> {
    let path = target.base_dir.join(SIGNATURE_FILE);
    match text(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unread(&path, &error, "the app's signature")),
    }
}

fn text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(TEXT_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > TEXT_BYTES_MAX {
        return Err(std::io::Error::other(format!("it has more than {TEXT_BYTES_MAX} bytes")));
    }
    Ok(text)
}

fn unset(
    target: &Target,
    (name, component): (&ComponentName, &Component),
    (key, variable): (&str, &str),
) -> Box<Failure> {
    let spans = &component.spans;
    let span = spans.grant.get(&Capability::Config).unwrap_or(&spans.name).clone();
    let problem = Problem::new(span, format!("the variable {variable} is not set"));
    let failure = target.problem(format!("the value `{key}` of `{name}` is not there"), problem);
    failure.next(format!("set {variable} where you deploy"))
}

fn unread(path: &Path, error: &std::io::Error, what: &str) -> Box<Failure> {
    let failure = Failure::new(Exit::INVALID, format!("cannot read {what}")).at(path).because(error);
    failure.next("correct the path: it starts from the manifest's folder, and leads to a file of text of at most 1 MiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_machine_knows_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("front.wat", "(component)");
        write("flags.json", "{}");
        write("ca.pem", "pem");
        let manifest = "manifest = 1\n[app]\nname = \"shop\"\nroots = [\"ca.pem\"]\n\
            [component.front]\nsource = \"front.wat\"\n[component.twin]\nsource = \"front.wat\"\n\
            [component.front.grant]\nconfig = { text = \"a\", flags = { file = \"flags.json\" }, home = { env = \"PATH\" } }\n";
        write("cumulet.toml", manifest);
        let target = Target::resolve(folder.path()).unwrap();
        let Package { request, blobs } = Package::read(&target).unwrap();
        assert_eq!(request.manifest, manifest);
        assert_eq!((blobs.len(), request.components.len()), (1, 2), "the same bytes are sent once");
        let config = &request.config[&ComponentName::parse("front").unwrap()];
        assert_eq!(config.keys().collect::<Vec<_>>(), ["flags", "home"], "the manifest itself has the rest");
        assert_eq!(request.roots, ["pem"]);

        std::fs::remove_file(folder.path().join("flags.json")).unwrap();
        assert_eq!(Package::read(&target).unwrap_err().exit(), Exit::INVALID);
    }
}
