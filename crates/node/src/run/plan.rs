//! What will run, worked out from the flags and the manifest's grants before anything starts.

use crate::run::{FolderFlag, GrantFlag, LimitFlag, RunError, RunFlags, RunRequest};
use crate::values::read_config;
use cumulet_capability::command::NetworkRule;
use cumulet_spec::grant::{FileGrant, HttpGrant};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// Everything that a command is given.
#[derive(Debug)]
pub(super) struct Plan {
    /// The module or component in the binary format.
    pub(super) binary: Vec<u8>,
    /// Its arguments, the file's name first.
    pub(super) args: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    pub(super) folders: Vec<FileGrant>,
    pub(super) network: Vec<NetworkRule>,
    pub(super) http: Vec<HttpGrant>,
    pub(super) config: Vec<(String, String)>,
    pub(super) limits: LimitFlag,
}

/// Reads the file and puts the flags on top of what the manifest says.
pub(super) fn plan(request: &RunRequest) -> Result<Plan, RunError> {
    let file = &request.file;
    let binary = read_binary(file)?;
    // The path to the file would tell the guest about this machine.
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
    let RunFlags { folders, env, grants, limits } = &request.flags;
    let given = request.grants.clone();
    let variables = given.env.into_iter().chain(env.iter().map(|flag| (flag.name.clone(), flag.value.clone())));
    let mut network: Vec<_> = given.network.into_iter().map(NetworkRule::from).collect();
    let mut http = given.http;
    for grant in grants {
        match grant {
            GrantFlag::Network(rule) => network.push(rule.clone()),
            GrantFlag::Http(origin) => http.push(origin.clone().into()),
        }
    }
    Ok(Plan {
        binary,
        args: std::iter::once(name).chain(request.args.iter().cloned()).collect(),
        env: variables.collect::<BTreeMap<_, _>>().into_iter().collect(),
        folders: given.file.into_iter().chain(folders.iter().map(|FolderFlag(folder)| folder.clone())).collect(),
        network,
        http,
        config: read_config(&given.config, Path::new(""), &request.variables)?.into_iter().collect(),
        limits: limits.iter().fold(request.limits, |limits, flag| limits.or(*flag)),
    })
}

fn read_binary(file: &Path) -> Result<Vec<u8>, RunError> {
    let bytes = std::fs::read(file).map_err(|source| RunError::Read { file: file.to_owned(), source })?;
    match wat::parse_bytes(&bytes) {
        Ok(Cow::Borrowed(_)) => Ok(bytes),
        Ok(Cow::Owned(binary)) => Ok(binary),
        Err(mut source) => {
            source.set_path(file);
            Err(RunError::Text { source })
        }
    }
}
