//! Looks at the machine.

mod compiling;
mod kernel;
mod storage;

use super::facts::{Facts, Network, Port, System};
use crate::compiler::WorkerProgram;
use cumulet_capability::load_platform_roots;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

/// What is looked at besides the machine as a whole.
#[derive(Debug, Clone)]
pub struct Patient {
    /// The data folder. Nothing is made where it is not there.
    pub data_dir: PathBuf,
    /// Where a node would listen, and what for.
    pub addresses: Vec<(SocketAddr, &'static str)>,
    /// The program that compiles apart; that is not tried when there is none.
    pub compiler: Option<WorkerProgram>,
}

/// Looks at everything. Takes as long as it takes to start a compile process and to sync a small file a few times.
pub async fn read(patient: &Patient) -> Facts {
    let compiling = match &patient.compiler {
        Some(program) => Some(compiling::try_out(program.clone()).await),
        None => None,
    };
    let limits = kernel::limits();
    Facts {
        system: system(),
        isolation: kernel::isolation(compiling),
        limits,
        storage: storage::look(&patient.data_dir),
        network: network(&patient.addresses),
    }
}

fn system() -> System {
    System {
        os: std::env::consts::OS.to_owned(),
        kernel: kernel::text("/proc/sys/kernel/osrelease"),
        container: container(),
        has_systemd: Path::new("/run/systemd/system").is_dir(),
        is_root: rustix::process::geteuid().is_root(),
    }
}

/// The signs that container managers leave.
fn container() -> Option<String> {
    let of_manager = || kernel::text("/run/systemd/container").or_else(|| kernel::text("/run/host/container-manager"));
    let is_there = |path: &str| Path::new(path).exists();
    match (is_there("/.dockerenv"), is_there("/run/.containerenv")) {
        (true, _) => Some("docker".to_owned()),
        (_, true) => Some("podman".to_owned()),
        (false, false) => of_manager(),
    }
}

fn network(addresses: &[(SocketAddr, &'static str)]) -> Network {
    let port = |(address, purpose): &(SocketAddr, &'static str)| Port {
        address: *address,
        purpose: (*purpose).to_owned(),
        taken: TcpListener::bind(address).err().map(|error| error.to_string()),
    };
    let follows = Path::new("/run/systemd/timesync/synchronized").exists();
    let is_looked_after = Path::new("/run/systemd/timesync").is_dir();
    Network {
        ports: addresses.iter().map(port).collect(),
        clock_is_synchronised: (follows || is_looked_after).then_some(follows),
        roots: Some(load_platform_roots().map_err(|error| error.to_string())),
    }
}
