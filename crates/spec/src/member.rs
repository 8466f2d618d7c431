//! The names under which a composed component imports what its members were granted.
//!
//! A composition has one list of imports, and its members have grants of their own. So the imports that a grant stands
//! behind carry the member's place in the name: `wasi:keyvalue/store@0.2.0-draft2` of member 2 becomes
//! `member2:wasi-keyvalue/store@0.2.0-draft2`. Whoever writes the names and whoever answers them meet here
//! (`docs/adr/0019-composition.md`).

/// The most components that one composition may have: each is about one memory, two tables and four core instances, of
/// which one instance may have 8, 16 and 32.
pub const MEMBERS_MAX: usize = 8;

/// How the namespace of a member begins. The member's place follows, and no component may use such a name itself.
const NAMESPACE: &str = "member";

/// The packages whose interfaces may lead out of a composition. Others are linked, or hold nothing but types.
const NAMESPACES: [&str; 2] = ["spin", "wasi"];

/// Interfaces that give a guest nothing that a grant decides about, or that only work on what it was given: all members
/// import them under one name, so that handles of theirs pass from one to the other. Whatever is not here is a member's own.
const SHARED: [&str; 25] = [
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:cli/types",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/system-clock",
    "wasi:clocks/types",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/types",
    "wasi:http/handler",
    "wasi:http/incoming-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/network",
];

/// An import of one member: which, and what it was called there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberImport<'a> {
    /// The member's place in the composition; the first is 0, the one that a trigger leads to.
    pub member: usize,
    /// The namespace of the interface's package, such as `wasi`.
    pub namespace: &'a str,
    /// The rest of its package's name, such as `keyvalue`.
    pub package: &'a str,
    /// The interface, such as `store`.
    pub interface: &'a str,
    /// Its version, such as `0.2.0-draft2`; empty where there is none.
    pub version: &'a str,
}

impl<'a> MemberImport<'a> {
    /// Reads the name of an import of a composition; none for a name that all members share.
    #[must_use]
    pub fn parse(name: &'a str) -> Option<Self> {
        let (namespace, rest) = name.split_once(':')?;
        let member = place(namespace)?;
        let (package, rest) = rest.split_once('/')?;
        let (namespace, package) = package.split_once('-')?;
        let (interface, version) = rest.split_once('@').unwrap_or((rest, ""));
        Some(Self { member, namespace, package, interface, version })
    }

    /// What the member calls it, without the version.
    #[must_use]
    pub fn interface_name(&self) -> String {
        format!("{}:{}/{}", self.namespace, self.package, self.interface)
    }
}

/// The name for an import of one member, in a composition; none where all members share it.
#[must_use]
pub fn own_name(member: usize, import: &str) -> Option<String> {
    let unversioned = import.split('@').next().unwrap_or(import);
    let (namespace, rest) = import.split_once(':')?;
    let is_own = NAMESPACES.contains(&namespace) && !SHARED.contains(&unversioned);
    is_own.then(|| format!("{NAMESPACE}{member}:{namespace}-{rest}"))
}

/// Whether a name is one that only a composition may have.
#[must_use]
pub fn is_reserved(import: &str) -> bool {
    import.split_once(':').is_some_and(|(namespace, _)| {
        let digits = namespace.strip_prefix(NAMESPACE);
        digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

fn place(namespace: &str) -> Option<usize> {
    let digits = namespace.strip_prefix(NAMESPACE)?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|member| is_number && *member < MEMBERS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_grant_stands_behind_is_a_members_own() {
        for (import, expect) in [
            ("wasi:keyvalue/store@0.2.0-draft2", Some("member2:wasi-keyvalue/store@0.2.0-draft2")),
            ("wasi:cli/environment@0.2.6", Some("member2:wasi-cli/environment@0.2.6")),
            ("wasi:filesystem/preopens@0.3.0", Some("member2:wasi-filesystem/preopens@0.3.0")),
            ("wasi:http/outgoing-handler@0.2.0", Some("member2:wasi-http/outgoing-handler@0.2.0")),
            ("wasi:sockets/tcp@0.2.0", Some("member2:wasi-sockets/tcp@0.2.0")),
            ("spin:postgres/postgres@4.0.0", Some("member2:spin-postgres/postgres@4.0.0")),
            // Not known here: nothing answers it under that name, either.
            ("wasi:gpu/device", Some("member2:wasi-gpu/device")),
            ("wasi:http/types@0.2.0", None),
            ("wasi:io/streams@0.2.12", None),
            ("acme:auth/verify", None),
            ("plain", None),
        ] {
            assert_eq!(own_name(2, import).as_deref(), expect, "{import}");
        }
    }

    #[test]
    fn the_name_comes_back() {
        let name = own_name(7, "wasi:keyvalue/store@0.2.0-draft2").unwrap();
        let read = MemberImport::parse(&name).unwrap();
        assert_eq!((read.member, read.version), (7, "0.2.0-draft2"));
        assert_eq!(read.interface_name(), "wasi:keyvalue/store");
        for name in ["wasi:io/poll", "member8:wasi-io/poll", "member+1:wasi-io/poll", "member:wasi-io/poll", "member1"]
        {
            assert_eq!(MemberImport::parse(name), None, "{name}");
        }
    }

    #[test]
    fn no_component_has_such_a_name_itself() {
        for (name, expect) in [
            ("member0:wasi-keyvalue/store", true),
            ("member99:x/y", true),
            ("member:x/y", false),
            ("members:x/y", false),
            ("member1", false),
        ] {
            assert_eq!(is_reserved(name), expect, "{name}");
        }
    }
}
