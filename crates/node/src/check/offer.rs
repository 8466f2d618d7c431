//! What this node offers to components, by the names of the interfaces.

use cumulet_spec::grant::Capability;

/// What stands behind an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    /// Linked for every component.
    Always,
    /// Linked for every component; without this grant each call is refused.
    Guarded(Capability),
    /// `wasi:config`: configuration and secrets.
    Config,
    /// A store: linked for every component, and refused before anything runs without this grant.
    Store(Capability),
    /// Not known here.
    Nothing,
}

/// An interface: its name without a version, the versions in which it is linked, what stands behind it.
type Entry = (&'static str, &'static [&'static str], Offer);

/// WASI 0.2 alone, WASI 0.3 alone, both: any patch release of them, since those are compatible.
const P2: &[&str] = &["0.2"];
const P3: &[&str] = &["0.3"];
const BOTH: &[&str] = &["0.2", "0.3"];

const ENV: Offer = Offer::Guarded(Capability::Env);
const FILE: Offer = Offer::Guarded(Capability::File);
const HTTP: Offer = Offer::Guarded(Capability::Http);
const NETWORK: Offer = Offer::Guarded(Capability::Network);

const KEYVALUE: Offer = Offer::Store(Capability::Keyvalue);
const BLOBSTORE: Offer = Offer::Store(Capability::Blobstore);

const KEYVALUE_VERSION: &[&str] = &["0.2.0-draft2"];
const BLOBSTORE_VERSION: &[&str] = &["0.2.0-draft"];

const OFFERED: &[Entry] = &[
    ("wasi:cli/environment", BOTH, ENV),
    ("wasi:cli/exit", BOTH, Offer::Always),
    ("wasi:cli/stderr", BOTH, Offer::Always),
    ("wasi:cli/stdin", BOTH, Offer::Always),
    ("wasi:cli/stdout", BOTH, Offer::Always),
    ("wasi:cli/terminal-input", BOTH, Offer::Always),
    ("wasi:cli/terminal-output", BOTH, Offer::Always),
    ("wasi:cli/terminal-stderr", BOTH, Offer::Always),
    ("wasi:cli/terminal-stdin", BOTH, Offer::Always),
    ("wasi:cli/terminal-stdout", BOTH, Offer::Always),
    ("wasi:cli/types", P3, Offer::Always),
    ("wasi:clocks/monotonic-clock", BOTH, Offer::Always),
    ("wasi:clocks/system-clock", P3, Offer::Always),
    ("wasi:clocks/types", P3, Offer::Always),
    ("wasi:clocks/wall-clock", P2, Offer::Always),
    ("wasi:filesystem/preopens", BOTH, FILE),
    ("wasi:filesystem/types", BOTH, FILE),
    ("wasi:http/client", P3, HTTP),
    ("wasi:http/outgoing-handler", P2, HTTP),
    ("wasi:http/types", BOTH, Offer::Always),
    ("wasi:io/error", P2, Offer::Always),
    ("wasi:io/poll", P2, Offer::Always),
    ("wasi:io/streams", P2, Offer::Always),
    ("wasi:random/insecure", BOTH, Offer::Always),
    ("wasi:random/insecure-seed", BOTH, Offer::Always),
    ("wasi:random/random", BOTH, Offer::Always),
    ("wasi:sockets/instance-network", P2, NETWORK),
    ("wasi:sockets/ip-name-lookup", BOTH, NETWORK),
    ("wasi:sockets/network", P2, NETWORK),
    ("wasi:sockets/tcp", P2, NETWORK),
    ("wasi:sockets/tcp-create-socket", P2, NETWORK),
    ("wasi:sockets/types", P3, NETWORK),
    ("wasi:sockets/udp", P2, NETWORK),
    ("wasi:sockets/udp-create-socket", P2, NETWORK),
    ("wasi:config/store", &["0.2.0-rc.1"], Offer::Config),
    ("wasi:keyvalue/atomics", KEYVALUE_VERSION, KEYVALUE),
    ("wasi:keyvalue/batch", KEYVALUE_VERSION, KEYVALUE),
    ("wasi:keyvalue/store", KEYVALUE_VERSION, KEYVALUE),
    ("wasi:blobstore/blobstore", BLOBSTORE_VERSION, BLOBSTORE),
    ("wasi:blobstore/container", BLOBSTORE_VERSION, BLOBSTORE),
    ("wasi:blobstore/types", BLOBSTORE_VERSION, BLOBSTORE),
    ("spin:sqlite/sqlite", &["3.0.0"], Offer::Store(Capability::Sqlite)),
    ("spin:postgres/postgres", &["4.0.0"], Offer::Store(Capability::Postgres)),
];

/// What is offered under the name of an import.
pub(super) fn of(import: &str) -> Offer {
    let (name, version) = import.split_once('@').unwrap_or((import, ""));
    let entry = OFFERED
        .iter()
        .find(|(offered, versions, _)| *offered == name && versions.iter().any(|track| is_on(version, track)));
    entry.map_or(Offer::Nothing, |(_, _, offer)| *offer)
}

/// The same interface in a version that is offered.
pub(super) fn nearest(import: &str) -> Option<String> {
    let name = import.split('@').next().unwrap_or(import);
    let (offered, versions, _) = OFFERED.iter().find(|(offered, ..)| *offered == name)?;
    versions.last().map(|version| format!("{offered}@{version}"))
}

/// Whether `version` is a release on `track`: `0.2.6` on `0.2`. A release candidate is only ever itself.
fn is_on(version: &str, track: &str) -> bool {
    let patch = version.strip_prefix(track).and_then(|rest| rest.strip_prefix('.'));
    version == track || patch.is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What a component meets that uses a capability which it was not granted.
pub(super) fn refusal(capability: Capability) -> &'static str {
    match capability {
        Capability::Http => "every outbound request ends with `HTTP-request-denied`",
        Capability::Env => "the environment is empty",
        Capability::File => "it finds no folders",
        Capability::Network => "every connection ends with `access-denied`",
        Capability::Config | Capability::Secret => "there are no values",
        Capability::Keyvalue | Capability::Blobstore | Capability::Sqlite | Capability::Postgres => {
            "every store is refused with `access-denied`"
        }
    }
}
