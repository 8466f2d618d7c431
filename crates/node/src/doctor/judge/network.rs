//! Sockets, time, trust.

use super::super::facts::Facts;
use super::{Check, Verdict, missing, ok, unknown, unsaid, weak};

pub(super) const CHECKS: &[Check] = &[
    Check { name: "addresses", why: "requests and the operator are answered there", judge: addresses },
    Check {
        name: "clock",
        why: "certificates and tokens are checked against it, budgets and bills are by the minute",
        judge: clock,
    },
    Check {
        name: "root-certificates",
        why: "without them no server that a guest calls by HTTPS can be trusted",
        judge: roots,
    },
];

fn addresses(facts: &Facts) -> Verdict {
    let ports = &facts.network.ports;
    let shown = |taken: bool| -> Vec<String> {
        let of_kind = ports.iter().filter(|port| port.taken.is_some() == taken);
        of_kind.map(|port| format!("{} ({})", port.address, port.purpose)).collect()
    };
    let (taken, free) = (shown(true), shown(false));
    if ports.is_empty() {
        return unsaid("what is listened at");
    }
    if taken.is_empty() {
        return ok(format!("free: {}", free.join(", ")));
    }
    if facts.storage.is_in_use == Some(true) {
        return ok(format!("taken, as a node runs: {}", taken.join(", ")));
    }
    let why = ports.iter().find_map(|port| port.taken.clone()).unwrap_or_default();
    weak(
        format!("cannot be listened at: {}: {why}", taken.join(", ")),
        "end what listens there (ss -ltnp), or choose others with --listen and --admin",
    )
}

fn clock(facts: &Facts) -> Verdict {
    match facts.network.clock_is_synchronised {
        Some(true) => ok("follows others"),
        Some(false) => weak("on its own", "start a time service, such as systemd-timesyncd or chrony"),
        None => unknown("not known: this only sees systemd-timesyncd", "see that a time service runs, such as chrony"),
    }
}

fn roots(facts: &Facts) -> Verdict {
    match &facts.network.roots {
        Some(Ok(())) => ok("the system's are there"),
        Some(Err(why)) => {
            missing(why.clone(), "install the system's root certificates, such as the package ca-certificates")
        }
        None => unsaid("which it has"),
    }
}
