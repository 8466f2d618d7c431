//! What the host in a page offers to components, by the names of the interfaces of WASI 0.2.

/// Each is implemented below `crates/node/browser/wasi`, by refusals where a page has nothing to give.
const OFFERED: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:config/store",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// Whether a page offers an import.
pub(super) fn has(import: &str) -> bool {
    let (name, version) = import.split_once('@').unwrap_or((import, ""));
    OFFERED.contains(&name) && version.starts_with("0.2.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::browser::files::FILES;

    #[test]
    fn a_release_of_0_2_is_offered() {
        assert!(has("wasi:http/types@0.2.12") && has("wasi:config/store@0.2.0-rc.1"));
        for import in
            ["wasi:http/types@0.3.0", "wasi:http/types", "wasi:keyvalue/store@0.2.0-draft2", "acme:auth/verify"]
        {
            assert!(!has(import), "{import}");
        }
    }

    #[test]
    fn the_files_hold_what_is_offered_and_nothing_else() {
        let scripts = FILES.iter().filter(|(path, _)| path.starts_with("wasi/"));
        let quoted = scripts.flat_map(|(_, text)| text.split('"')).filter(|part| part.starts_with("wasi:"));
        let mut held: Vec<&str> = quoted.collect();
        held.sort_unstable();
        assert_eq!(held, OFFERED);
    }
}
