//! One test, step by step.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, bail};
use tempfile::TempDir;

use crate::conformance::child::Child;
use crate::conformance::client;
use crate::conformance::endpoint::Upstream;
use crate::conformance::specification::{Input, Operation, Run, Transport, World};
use crate::conformance::suite::Test;

/// Runs a test with the program at `binary`; each of its steps may take `patience`.
pub(super) fn run(binary: &Path, test: &Test, patience: Duration) -> anyhow::Result<()> {
    let mut case = Case {
        binary,
        test,
        patience,
        folder: TempDir::new().context("cannot make a folder for the test")?,
        upstreams: Vec::new(),
        child: None,
        service: None,
        connections: BTreeMap::new(),
    };
    for operation in &test.specification.operations {
        if let Err(error) = case.step(operation) {
            let remains = case.child.as_mut().map(Child::remains).unwrap_or_default();
            return Err(anyhow::anyhow!("{error:#}{remains}"));
        }
    }
    Ok(())
}

struct Case<'a> {
    binary: &'a Path,
    test: &'a Test,
    patience: Duration,
    /// Whatever the test writes stays here, so that tests do not meet and the checkout stays clean.
    folder: TempDir,
    upstreams: Vec<Upstream>,
    child: Option<Child>,
    service: Option<SocketAddr>,
    connections: BTreeMap<String, TcpStream>,
}

impl Case<'_> {
    fn step(&mut self, operation: &Operation) -> anyhow::Result<()> {
        match operation {
            Operation::Run(run) => self.start(run),
            Operation::Wait { exit_code } => self.wait(*exit_code),
            Operation::Read { id, payload } => self.child()?.expect(*id, payload),
            Operation::Write { to: Input::Stdin, payload } => self.child()?.write(payload),
            Operation::Connect { id, over: Transport::Tcp } => self.connect(id),
            Operation::Send { id, payload } => {
                self.connection(id)?.write_all(payload.as_bytes()).context("cannot send to the guest")
            }
            Operation::Recv { id, payload } => self.receive(id, payload),
            Operation::Request(request) => {
                let address = self.service.context("no service is running")?;
                client::request(address, request, self.patience)
            }
            Operation::Kill { signal } => self.child()?.signal(*signal),
        }
    }

    fn child(&mut self) -> anyhow::Result<&mut Child> {
        self.child.as_mut().context("no guest is running")
    }

    fn start(&mut self, run: &Run) -> anyhow::Result<()> {
        let mut env = run.env.clone();
        for server in &self.test.specification.servers {
            let upstream = Upstream::start(server)?;
            env.insert(server.variable(), upstream.address.to_string());
            self.upstreams.push(upstream);
        }
        let mut command = match self.test.specification.world {
            World::Command => self.run_command(run, &env)?,
            World::Service => self.serve_command(run, &env)?,
        };
        command.current_dir(self.folder.path());
        let child = self.child.insert(Child::start(&mut command, self.patience)?);
        if self.test.specification.world == World::Service {
            let line = child.line()?;
            let address = line.strip_prefix("ready http://").and_then(|rest| rest.trim_end_matches('/').parse().ok());
            self.service = Some(address.with_context(|| format!("no address in {line:?}"))?);
        }
        Ok(())
    }

    fn run_command(&self, run: &Run, env: &BTreeMap<String, String>) -> anyhow::Result<Command> {
        let mut command = Command::new(self.binary);
        command.arg("run");
        for (name, value) in env {
            command.arg("--env").arg(format!("{name}={value}"));
        }
        if let Some(root) = &run.root {
            let copy = self.folder.path().join("root");
            copy_folder(&self.test.file.with_file_name(root), &copy)?;
            command.arg("--dir").arg(format!("{}::/", copy.display()));
        }
        if self.test.specification.sockets {
            for grant in ["tcp:*:*", "udp:*:*", "tcp-listen:*:*", "tcp-listen:*:0", "udp-listen:*:*", "udp-listen:*:0"]
            {
                command.arg("--grant").arg(format!("network={grant}"));
            }
        }
        command.arg(&self.test.file).arg("--").args(&run.args);
        Ok(command)
    }

    /// The service's manifest grants its environment and the test's own servers, and nothing else.
    fn serve_command(&self, run: &Run, env: &BTreeMap<String, String>) -> anyhow::Result<Command> {
        if run.root.is_some() || !run.args.is_empty() {
            bail!("a service with arguments or a folder is unknown here");
        }
        let quote = |text: &str| toml::Value::from(text).to_string();
        let origins: Vec<_> =
            self.upstreams.iter().map(|upstream| quote(&format!("http://{}", upstream.address))).collect();
        let mut manifest = format!(
            "manifest = 1\n[app]\nname = \"conformance\"\n[component.test]\nsource = {}\n\
             [component.test.grant]\nhttp = [{}]\n[component.test.grant.env]\n",
            quote(&self.test.file.canonicalize()?.to_string_lossy()),
            origins.join(", "),
        );
        for (name, value) in env {
            writeln!(manifest, "{} = {}", quote(name), quote(value))?;
        }
        manifest.push_str("[[trigger.http]]\nroute = \"/*\"\ncomponent = \"test\"\n");
        let file = self.folder.path().join("cumulet.toml");
        std::fs::write(&file, manifest)?;
        let mut command = Command::new(self.binary);
        command.arg("up").arg(file).args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data-dir"]);
        command.arg(self.folder.path().join("data"));
        Ok(command)
    }

    fn wait(&mut self, expected: i32) -> anyhow::Result<()> {
        let status = self.child()?.wait()?;
        if status.code() != Some(expected) {
            bail!("expected exit code {expected}, got {}", ending(status));
        }
        Ok(())
    }

    /// The guest listens, and says where on its standard output.
    fn connect(&mut self, id: &str) -> anyhow::Result<()> {
        let patience = self.patience;
        let line = self.child()?.line()?;
        let address: SocketAddr = line.parse().with_context(|| format!("no address: {line:?}"))?;
        let stream = TcpStream::connect_timeout(&address, patience).context("cannot connect to the guest")?;
        stream.set_read_timeout(Some(patience))?;
        self.connections.insert(id.to_owned(), stream);
        Ok(())
    }

    fn connection(&mut self, id: &str) -> anyhow::Result<&mut TcpStream> {
        self.connections.get_mut(id).with_context(|| format!("no connection `{id}`"))
    }

    fn receive(&mut self, id: &str, expected: &str) -> anyhow::Result<()> {
        let mut found = vec![0; expected.len()];
        self.connection(id)?.read_exact(&mut found).context("cannot receive from the guest")?;
        if found != expected.as_bytes() {
            bail!("expected to receive {expected:?}, got {:?}", String::from_utf8_lossy(&found));
        }
        Ok(())
    }
}

fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => code.to_string(),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "none".to_owned(),
    }
}

/// Copies the files and folders of `from`; the suite's folders hold nothing else.
fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
