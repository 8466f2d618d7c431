//! What a test expects: the JSON file beside its module, in the older form and in the form of operations.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;

/// A test's specification, in the form of operations.
#[derive(Debug)]
pub(super) struct Specification {
    pub(super) operations: Vec<Operation>,
    /// Whether it uses sockets.
    pub(super) sockets: bool,
    pub(super) world: World,
    pub(super) servers: Vec<Server>,
}

/// Which world a test is written for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(super) enum World {
    #[default]
    #[serde(rename = "wasi:cli/command")]
    Command,
    #[serde(rename = "wasi:http/service")]
    Service,
}

/// One step of a test.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Operation {
    Run(Run),
    Wait {
        #[serde(default)]
        exit_code: i32,
    },
    Read {
        #[serde(default)]
        id: Output,
        #[serde(default)]
        payload: String,
    },
    Write {
        #[serde(rename = "id")]
        to: Input,
        #[serde(default)]
        payload: String,
    },
    Connect {
        #[serde(default = "default_connection")]
        id: String,
        #[serde(default, rename = "protocol_type")]
        over: Transport,
    },
    Send {
        id: String,
        #[serde(default)]
        payload: String,
    },
    Recv {
        id: String,
        #[serde(default)]
        payload: String,
    },
    Request(Request),
    Kill {
        #[serde(default)]
        signal: Signal,
    },
}

/// Starts the guest.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Run {
    pub(super) args: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    /// A folder beside the test that the guest gets as `/`.
    pub(super) root: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Output {
    #[default]
    Stdout,
    Stderr,
}

/// What can be written to: one thing, and another one would be refused.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Input {
    Stdin,
}

/// What a connection can run over: one thing, and another one would be refused.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Transport {
    #[default]
    Tcp,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(super) enum Signal {
    #[default]
    #[serde(rename = "SIGTERM")]
    Terminate,
    #[serde(rename = "SIGINT")]
    Interrupt,
}

fn default_connection() -> String {
    "server".to_owned()
}

/// A request to the service under test, and what it must answer.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
    pub(super) response: Expected,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            headers: BTreeMap::new(),
            body: String::new(),
            response: Expected::default(),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Expected {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

impl Default for Expected {
    fn default() -> Self {
        Self { status: 200, headers: BTreeMap::new(), body: String::new() }
    }
}

/// A server that the guest sends requests to; it finds the address in `HTTP_SERVER_NAME`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    pub(super) name: String,
    #[serde(default)]
    pub(super) kind: ServerKind,
    #[serde(default)]
    pub(super) endpoints: Vec<Endpoint>,
}

impl Server {
    pub(super) fn variable(&self) -> String {
        format!("HTTP_SERVER_{}", self.name.to_ascii_uppercase())
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ServerKind {
    #[default]
    Listening,
    /// An address at which nothing listens.
    Closed,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Endpoint {
    #[serde(default = "default_method")]
    pub(super) method: String,
    #[serde(default = "default_path")]
    pub(super) path: String,
    #[serde(default)]
    pub(super) mode: Mode,
    #[serde(default)]
    pub(super) response: Answer,
}

fn default_method() -> String {
    "GET".to_owned()
}

fn default_path() -> String {
    "/".to_owned()
}

/// What an endpoint answers with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Mode {
    /// Its `response`.
    #[default]
    Static,
    /// The request's body.
    EchoBody,
    /// The request's line, headers and trailers, as headers.
    EchoHeaders,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
    pub(super) chunks: Option<Vec<String>>,
    pub(super) trailers: BTreeMap<String, String>,
}

impl Default for Answer {
    fn default() -> Self {
        Self { status: 200, headers: BTreeMap::new(), body: String::new(), chunks: None, trailers: BTreeMap::new() }
    }
}

/// The file, in either form.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Document {
    operations: Option<Vec<Operation>>,
    proposals: Vec<String>,
    world: World,
    servers: Vec<Server>,
    args: Vec<String>,
    env: BTreeMap<String, String>,
    root: Option<String>,
    exit_code: i32,
    stdout: Option<String>,
    stderr: Option<String>,
}

impl Specification {
    /// Reads the file; a test without one must run and end with 0.
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        if !file.exists() {
            return Ok(Document::default().into());
        }
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let document: Document =
            serde_json::from_str(&text).with_context(|| format!("unknown specification in {}", file.display()))?;
        if let Some(proposal) = document.proposals.iter().find(|name| !matches!(name.as_str(), "http" | "sockets")) {
            bail!("{} asks for the proposal `{proposal}`, which is unknown here", file.display());
        }
        Ok(document.into())
    }
}

impl From<Document> for Specification {
    fn from(document: Document) -> Self {
        let sockets = document.proposals.iter().any(|name| name == "sockets");
        let operations = document.operations.unwrap_or_else(|| {
            let mut operations =
                vec![Operation::Run(Run { args: document.args, env: document.env, root: document.root })];
            let outputs = [(Output::Stdout, document.stdout), (Output::Stderr, document.stderr)];
            operations.extend(
                outputs.into_iter().filter_map(|(id, payload)| Some(Operation::Read { id, payload: payload? })),
            );
            operations.push(Operation::Wait { exit_code: document.exit_code });
            operations
        });
        Self { operations, sockets, world: document.world, servers: document.servers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Specification {
        serde_json::from_str::<Document>(text).unwrap().into()
    }

    #[test]
    fn the_older_form_becomes_operations() {
        let specification = read(r#"{"args": ["a"], "stdout": "hello", "exit_code": 33}"#);
        assert!(matches!(
            specification.operations.as_slice(),
            [Operation::Run(run), Operation::Read { id: Output::Stdout, payload }, Operation::Wait { exit_code: 33 }]
                if run.args == ["a"] && payload == "hello"
        ));
    }

    #[test]
    fn an_empty_file_runs_and_waits() {
        assert!(matches!(read("{}").operations.as_slice(), [Operation::Run(_), Operation::Wait { exit_code: 0 }]));
    }

    #[test]
    fn what_is_unknown_is_refused() {
        for text in [
            r#"{"arguments": []}"#,
            r#"{"operations": [{"type": "sleep"}]}"#,
            r#"{"operations": [{"type": "run", "cwd": "/"}]}"#,
            r#"{"world": "wasi:nn/worker"}"#,
        ] {
            assert!(serde_json::from_str::<Document>(text).is_err(), "{text} was accepted");
        }
    }
}
