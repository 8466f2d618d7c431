//! What a node is configured with: the file, and the flags that go before it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use cumulet_spec::manifest::Problem;
use cumulet_spec::node::NodeConfig;

use super::Node;
use crate::exit::Exit;
use crate::failure::{Failure, Report};
use crate::terminal::Terminal;

impl Node {
    /// Reads the file, tells its warnings, and puts the flags before it.
    pub(super) fn configured(&self, terminal: Terminal) -> Result<NodeConfig, Box<Failure>> {
        let mut config = match &self.config {
            Some(file) => read(file, terminal)?,
            None => NodeConfig::default(),
        };
        config.listen = self.listen.unwrap_or(config.listen);
        config.admin = self.admin.unwrap_or(config.admin);
        if let Some(folder) = &self.data_dir {
            config.data_dir = Some(folder.clone());
        }
        if let Some(domain) = &self.domain {
            config.domain = checked_domain(domain, &config)?;
        }
        let taken = config.tls.as_ref().map(|tls| tls.listen).filter(|address| address.port() != 0);
        if let Some(address) = taken.filter(|address| [config.listen, config.admin].contains(address)) {
            let what = format!("TLS is not the only thing to be answered at {address}");
            return Err(Failure::new(Exit::USAGE, what).next("give --listen and --admin ports of their own"));
        }
        if config.listen == config.admin && config.listen.port() != 0 {
            let what = format!("requests and the admin are both to be answered at {}", config.listen);
            return Err(Failure::new(Exit::USAGE, what).next("give --admin a port of its own"));
        }
        Ok(config)
    }
}

fn read(file: &Path, terminal: Terminal) -> Result<NodeConfig, Box<Failure>> {
    let text = std::fs::read_to_string(file).map_err(|error| unread(file, &error))?;
    let mut config = NodeConfig::parse(&text).map_err(|error| invalid(file, &text, error.problems))?;
    for warning in &config.warnings {
        terminal.warning(&format!("{} ({}:{})", warning.message, file.display(), warning.position(&text)));
    }
    if let Some(parent) = file.parent() {
        files(&mut config).for_each(|path| *path = parent.join(&*path));
    }
    Ok(config)
}

/// The files and folders that a configuration names, which are relative to it.
fn files(config: &mut NodeConfig) -> impl Iterator<Item = &mut PathBuf> {
    let (certificates, acme) = match &mut config.tls {
        Some(tls) => (tls.certificates.as_mut_slice(), tls.acme.as_mut()),
        None => (&mut [][..], None),
    };
    let pairs = certificates.iter_mut().flat_map(|pair| [&mut pair.chain, &mut pair.key]);
    config.data_dir.iter_mut().chain(pairs).chain(acme.and_then(|acme| acme.roots.as_mut()))
}

fn unread(file: &Path, error: &std::io::Error) -> Box<Failure> {
    let exit = if error.kind() == ErrorKind::NotFound { Exit::USAGE } else { Exit::FAILED };
    let failure = Failure::new(exit, "cannot read the node's configuration").at(file).because(error);
    match error.kind() {
        ErrorKind::NotFound => failure.next("name another with --config, or leave it out for the defaults"),
        ErrorKind::InvalidData => failure.next("save the file as UTF-8"),
        ErrorKind::IsADirectory => failure.next("name the file in it"),
        _ => failure.next("look at the file's permissions"),
    }
}

fn invalid(file: &Path, text: &str, problems: Vec<Problem>) -> Box<Failure> {
    let at = problems.first().map(|problem| problem.position(text));
    let what = match problems.len() {
        1 => "the node's configuration is invalid".to_owned(),
        many => format!("the node's configuration has {many} problems"),
    };
    Failure::new(Exit::INVALID, what)
        .at(file)
        .at_position(at)
        .report(Report::new(file, text, problems))
        .next("correct it")
}

/// A domain from the command line, which the file's hosts were not held against.
fn checked_domain(domain: &str, config: &NodeConfig) -> Result<String, Box<Failure>> {
    let next = "give a domain, such as `apps.example.com`";
    let wrong = || Failure::new(Exit::USAGE, format!("{domain:?} is not a domain")).next(next);
    // The file's own reader knows what a domain is.
    let line = format!("node = 1\ndomain = {domain:?}\n");
    let domain = NodeConfig::parse(&line).map_err(|_problems| wrong())?.domain;
    let own = format!(".{domain}");
    let hosts = config.tenants.iter().flat_map(|(tenant, one)| one.hosts.iter().map(move |host| (tenant, host)));
    for (tenant, host) in hosts {
        if *host == domain || host.ends_with(&own) {
            return Err(Failure::new(
                Exit::USAGE,
                format!("the host `{host}` of `{tenant}` belongs to the domain `{domain}`"),
            )
            .why("apps answer there by their names")
            .next("choose another --domain, or remove the host from the configuration"));
        }
    }
    Ok(domain)
}
