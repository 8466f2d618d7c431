//! What a machine says of itself. What it does not say is `None`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Everything that is judged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Facts {
    /// What runs here.
    pub system: System,
    /// What keeps guests apart.
    pub isolation: Isolation,
    /// How much there may be.
    pub limits: Limits,
    /// Where data lies.
    pub storage: Storage,
    /// Sockets, time, trust.
    pub network: Network,
}

/// What runs here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct System {
    /// The operating system, such as `linux`.
    pub os: String,
    /// Its release, such as `6.18.44`.
    pub kernel: Option<String>,
    /// What kind of container this is; `None` for none that is known.
    pub container: Option<String>,
    /// Whether systemd looks after this process's machine.
    pub has_systemd: bool,
    /// Whether this process has all privileges.
    pub is_root: bool,
}

/// What keeps guests apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Isolation {
    /// Whether the kernel can say which pages were written.
    pub pagemap_scan: Option<bool>,
    /// Swap, in KiB.
    pub swap_kib: Option<u64>,
    /// Whether the processor has memory protection keys.
    pub protection_keys: Option<bool>,
    /// `kernel.randomize_va_space`.
    pub address_randomisation: Option<u8>,
    /// The most bytes of a core dump of this process.
    pub core_bytes: Option<u64>,
    /// What the kernel says of the processor's weaknesses, by name.
    pub vulnerabilities: BTreeMap<String, String>,
    /// A compile process, tried.
    pub compiling: Option<Compiling>,
}

/// How a compile process did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compiling {
    /// It started, took its limits, and compiled a small component in this many microseconds.
    Worked(u64),
    /// It did not.
    Failed(String),
}

/// How much there may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// `vm.max_map_count`.
    pub mappings_max: Option<u64>,
    /// Files that may be open at once, up to where a node raises it by itself.
    pub files_max: Option<u64>,
    /// Address space, in bytes.
    pub address_bytes: Option<u64>,
    /// The machine's memory, in bytes.
    pub memory_bytes: Option<u64>,
    /// What the control group may have of it, in bytes.
    pub memory_group_bytes: Option<u64>,
    /// Processors of the machine.
    pub processors: Option<u64>,
    /// Processors that this process may use.
    pub processors_usable: Option<u64>,
    /// Whether the kernel says how much processes wait for processors.
    pub has_pressure: Option<bool>,
    /// When memory is given in huge pages: `always`, `madvise`, `never`.
    pub huge_pages: Option<String>,
    /// Instances at once that follow from all this.
    pub slots: Option<u64>,
    /// Compiled files at once that follow from all this.
    pub loaded_files: Option<u64>,
}

/// Where data lies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// The data folder.
    pub folder: PathBuf,
    /// Whether it is there.
    pub exists: bool,
    /// Whether it can be written; where it is not there, whether it can be made.
    pub is_writable: bool,
    /// The permissions of the folder and of what others must not read in it, by name.
    pub modes: BTreeMap<String, u32>,
    /// Bytes that are free for this user.
    pub free_bytes: Option<u64>,
    /// Files that can still be made; `None` also where the file system does not count them.
    pub free_files: Option<u64>,
    /// How long it takes until a write is on the disk, in microseconds, or why it cannot be had.
    pub sync_us: Option<Result<u64, String>>,
    /// Whether a node uses the folder.
    pub is_in_use: Option<bool>,
}

/// Sockets, time, trust.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// Where a node listens unless it is told otherwise.
    pub ports: Vec<Port>,
    /// Whether the clock follows others.
    pub clock_is_synchronised: Option<bool>,
    /// Whether the system's root certificates can be had, or why not.
    pub roots: Option<Result<(), String>>,
}

/// A place to listen at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// The address.
    pub address: SocketAddr,
    /// What it is for.
    pub purpose: String,
    /// Why it cannot be listened at, if it cannot.
    pub taken: Option<String>,
}
