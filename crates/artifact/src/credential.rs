//! Who we are to a registry: what `docker login` left behind.
//!
//! `config.json` names a program for a registry (`credHelpers`) or for all (`credsStore`), which is asked; otherwise it
//! holds the name and the password itself (`auths`). A password is never printed, and no error holds one.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cumulet_spec::sensitive::Sensitive;
use serde::Deserialize;
use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

/// The largest `config.json` that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// The most that a program may answer, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 << 10;
/// The time in which a program has to answer: it may ask its user for a password.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);
/// What programs that keep credentials are called, before their own name.
const PROGRAM: &str = "docker-credential-";
/// How a program says that there is nothing.
const NOT_FOUND: &str = "credentials not found";
/// The name under which a token is given out that stands for a login.
const TOKEN_USER: &str = "<token>";
/// The registry that has another name in this file.
const DOCKER_HUB: (&str, &str) = ("docker.io", "https://index.docker.io/v1/");

/// Who we are to a registry.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A name and a password.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: Sensitive,
    },
    /// What stands for a login, and is changed for tokens of short life.
    IdentityToken(Sensitive),
}

/// The credentials of whoever runs this, as `docker` keeps them.
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    file: Option<PathBuf>,
}

/// Credentials cannot be had.
#[derive(Debug, Error)]
#[error("no credentials from {}", file.display())]
pub struct CredentialError {
    /// Docker's configuration.
    pub file: PathBuf,
    /// What is wrong.
    #[source]
    pub kind: CredentialErrorKind,
}

/// What is wrong with credentials.
#[derive(Debug, Error)]
pub enum CredentialErrorKind {
    /// The file does not read.
    #[error("the file does not read; check its permissions")]
    Read(#[source] io::Error),
    /// It is far larger than such files are.
    #[error("the file is larger than {FILE_BYTES_MAX} bytes")]
    TooLarge,
    /// It is not what `docker` writes. What is wrong is not told: it may be next to a password.
    #[error("the file is not what `docker login` writes; log in again")]
    Malformed,
    /// The name of a program is none.
    #[error("it names {0:?} as the program that keeps credentials, which cannot be one")]
    Name(String),
    /// A program does not start.
    #[error("the program {0} does not start; install it, or remove it from the file and log in again")]
    Start(String, #[source] io::Error),
    /// A program fails.
    #[error("the program {0} has no answer; run `docker login` again")]
    Answer(String),
    /// A program takes too long.
    #[error("the program {0} has not answered within {seconds} s", seconds = ANSWER_TIME_MAX.as_secs())]
    Late(String),
}

/// `config.json`, as far as we are concerned.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct DockerConfig {
    auths: BTreeMap<String, Auth>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Auth {
    auth: Option<Sealed>,
    username: Option<String>,
    password: Option<Sealed>,
    #[serde(rename = "identitytoken")]
    identity_token: Option<Sealed>,
}

/// What a program answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    username: String,
    secret: Sealed,
}

/// Secret text on its way in.
#[derive(Deserialize)]
#[serde(from = "String")]
struct Sealed(Sensitive);

impl From<String> for Sealed {
    fn from(text: String) -> Self {
        Self(Sensitive::new(text))
    }
}

impl Credentials {
    /// Those of the file that a person's variables lead to: `$DOCKER_CONFIG/config.json`, else
    /// `$HOME/.docker/config.json`. None where there is no such file.
    #[must_use]
    pub fn of_docker(variables: &BTreeMap<String, String>) -> Self {
        let named = |name: &str| variables.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = named("DOCKER_CONFIG").or_else(|| named("HOME").map(|home| home.join(".docker")));
        Self { file: folder.map(|folder| folder.join("config.json")) }
    }

    /// What is to be told a registry. `None` when nothing is kept for it.
    ///
    /// # Errors
    /// When the file cannot be read, or the program that it names does not answer.
    pub async fn find(&self, registry: &str) -> Result<Option<Credential>, CredentialError> {
        let Some(file) = &self.file else { return Ok(None) };
        find(file, registry).await.map_err(|kind| CredentialError { file: file.clone(), kind })
    }
}

async fn find(file: &Path, registry: &str) -> Result<Option<Credential>, CredentialErrorKind> {
    let Some(config) = read(file).await? else { return Ok(None) };
    let names = names(registry);
    let helper = names.iter().find_map(|name| config.cred_helpers.get(name));
    if let Some(program) = helper.or(config.creds_store.as_ref()) {
        for name in &names {
            if let Some(credential) = ask(program, name).await? {
                return Ok(Some(credential));
            }
        }
    }
    let kept = names.iter().find_map(|name| config.auths.get(name));
    match kept {
        Some(auth) => kept_credential(auth),
        None => Ok(None),
    }
}

async fn read(file: &Path) -> Result<Option<DockerConfig>, CredentialErrorKind> {
    let opened = match tokio::fs::File::open(file).await {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(CredentialErrorKind::Read(error)),
    };
    let mut bytes = Vec::new();
    opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).await.map_err(CredentialErrorKind::Read)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(CredentialErrorKind::TooLarge);
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|_may_quote_it| CredentialErrorKind::Malformed)
}

/// How a registry may stand in the file.
fn names(registry: &str) -> Vec<String> {
    let mut names = vec![registry.to_owned(), format!("https://{registry}")];
    names.extend(["/v1/", "/v2/"].map(|path| format!("https://{registry}{path}")));
    if registry == DOCKER_HUB.0 {
        names.insert(0, DOCKER_HUB.1.to_owned());
    }
    names
}

fn kept_credential(auth: &Auth) -> Result<Option<Credential>, CredentialErrorKind> {
    if let Some(token) = auth.identity_token.as_ref().filter(|token| !token.0.reveal().is_empty()) {
        return Ok(Some(Credential::IdentityToken(token.0.clone())));
    }
    if let (Some(user), Some(password)) = (&auth.username, &auth.password) {
        return Ok(Some(Credential::Password { user: user.clone(), password: password.0.clone() }));
    }
    let Some(auth) = auth.auth.as_ref().filter(|auth| !auth.0.reveal().is_empty()) else { return Ok(None) };
    let decoded = BASE64_STANDARD.decode(auth.0.reveal()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = Sensitive::new(decoded.ok_or(CredentialErrorKind::Malformed)?);
    let (user, password) = decoded.reveal().split_once(':').ok_or(CredentialErrorKind::Malformed)?;
    Ok(Some(Credential::Password { user: user.to_owned(), password: Sensitive::new(password.to_owned()) }))
}

/// Asks the program that keeps credentials. It is ended when it takes too long.
async fn ask(name: &str, registry: &str) -> Result<Option<Credential>, CredentialErrorKind> {
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if !is_name {
        return Err(CredentialErrorKind::Name(name.to_owned()));
    }
    let program = format!("{PROGRAM}{name}");
    let late = CredentialErrorKind::Late(program.clone());
    tokio::time::timeout(ANSWER_TIME_MAX, ask_program(program, registry)).await.unwrap_or(Err(late))
}

async fn ask_program(program: String, registry: &str) -> Result<Option<Credential>, CredentialErrorKind> {
    let mut command = Command::new(&program);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Err(CredentialErrorKind::Start(program, error)),
    };
    if let Some(mut stdin) = child.stdin.take() {
        // One that does not read says so by its answer.
        drop(stdin.write_all(registry.as_bytes()).await);
    }
    let mut answer = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        let read = stdout.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await;
        read.map_err(|_broken| CredentialErrorKind::Answer(program.clone()))?;
    }
    let is_done = child.wait().await.is_ok_and(|status| status.success());
    if !is_done {
        let is_nothing = String::from_utf8_lossy(&answer).contains(NOT_FOUND);
        return if is_nothing { Ok(None) } else { Err(CredentialErrorKind::Answer(program)) };
    }
    let answer: Answer =
        serde_json::from_slice(&answer).map_err(|_may_quote_it| CredentialErrorKind::Answer(program))?;
    if answer.username == TOKEN_USER {
        return Ok(Some(Credential::IdentityToken(answer.secret.0)));
    }
    let is_empty = answer.username.is_empty() && answer.secret.0.reveal().is_empty();
    Ok((!is_empty).then_some(Credential::Password { user: answer.username, password: answer.secret.0 }))
}

#[cfg(test)]
mod tests;
