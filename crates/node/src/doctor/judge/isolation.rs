//! What keeps guests from each other and from the machine.

use super::super::facts::{Compiling, Facts};
use super::{Check, Verdict, missing, ok, size, unknown, unsaid, weak};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "system",
        why: "limits and protections of the node are made for Linux; elsewhere some of them are left out",
        judge: system,
    },
    Check {
        name: "user",
        why: "for a privileged user the kernel does not enforce every limit of compile processes",
        judge: user,
    },
    Check {
        name: "compile-process",
        why: "strangers' components are compiled apart, with little memory, little time and no files",
        judge: compile_process,
    },
    Check { name: "guard-regions", why: "an access beyond a guest's memory has to hit nothing", judge: guard_regions },
    Check {
        name: "memory-reset",
        why: "an instance begins with clean memory; asking the kernel what was written makes that cheap",
        judge: memory_reset,
    },
    Check { name: "swap", why: "what guests hold in memory would be written to the disk", judge: swap },
    Check {
        name: "address-randomisation",
        why: "whoever breaks out of a guest should not know where anything lies",
        judge: address_randomisation,
    },
    Check {
        name: "core-dumps",
        why: "a dump of the node holds its keys, and the memory of every tenant's guests",
        judge: core_dumps,
    },
    Check {
        name: "processor",
        why: "guests of one node share its processors; what these leak, one tenant may read of another",
        judge: processor,
    },
];

/// The first release with the call that resets memory cheaply.
const KERNEL_COMFORTABLE: (u32, u32) = (6, 7);

fn system(facts: &Facts) -> Verdict {
    let system = &facts.system;
    let around = match (&system.container, system.has_systemd) {
        (Some(container), _) => format!(", in a container ({container})"),
        (None, true) => ", with systemd".to_owned(),
        (None, false) => String::new(),
    };
    let Some(kernel) = system.kernel.as_deref().filter(|_| system.os == "linux") else {
        return weak(format!("{}{around}", system.os), "serve strangers' components from Linux");
    };
    let found = format!("Linux {kernel}{around}");
    match version(kernel) {
        Some(version) if version < KERNEL_COMFORTABLE => weak(found, "update to Linux 6.7 or later"),
        _ => ok(found),
    }
}

fn version(kernel: &str) -> Option<(u32, u32)> {
    let mut parts = kernel.split(|char: char| !char.is_ascii_digit()).map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

fn user(facts: &Facts) -> Verdict {
    if facts.system.is_root {
        weak("this is root", "run the node as a user of its own, and give it the ports or a proxy before it")
    } else {
        ok("not privileged")
    }
}

fn compile_process(facts: &Facts) -> Verdict {
    match &facts.isolation.compiling {
        None => unknown("not tried", "run `cumulet doctor` by its path"),
        Some(Compiling::Worked(micros)) => {
            ok(format!("starts, takes its limits, and compiles a small component in {} ms", micros / 1_000))
        }
        Some(Compiling::Failed(why)) => missing(
            why.clone(),
            "see that this program can be started again from where it lies, and that memory is free",
        ),
    }
}

fn guard_regions(facts: &Facts) -> Verdict {
    let keys = match facts.isolation.protection_keys {
        Some(true) => "; this release does not use the protection keys that the processor has",
        Some(false) | None => "",
    };
    match facts.limits.slots {
        Some(slots) => {
            ok(format!("each of {slots} slots has 4 GiB for every memory, and 32 MiB of guard behind it{keys}"))
        }
        None => unsaid("how much address space there is"),
    }
}

fn memory_reset(facts: &Facts) -> Verdict {
    let isolation = &facts.isolation;
    match (isolation.pagemap_scan, isolation.swap_kib) {
        (Some(true), Some(0)) => ok("PAGEMAP_SCAN is there and used"),
        (Some(true), _) => weak(
            "PAGEMAP_SCAN is there and not used: it overlooks pages in swap; memory is reset the slower way",
            "turn swap off: swapoff -a, and remove it from /etc/fstab",
        ),
        (Some(false), _) => {
            weak("PAGEMAP_SCAN is not there; memory is reset the slower way", "update to Linux 6.7 or later")
        }
        (None, _) => unsaid("which pages were written; memory is reset the slower way"),
    }
}

fn swap(facts: &Facts) -> Verdict {
    match facts.isolation.swap_kib {
        Some(0) => ok("off"),
        Some(kib) => weak(format!("{} of swap", size(kib << 10)), "swapoff -a, or encrypt the swap"),
        None => unsaid("whether it swaps"),
    }
}

fn address_randomisation(facts: &Facts) -> Verdict {
    let next = "sysctl kernel.randomize_va_space=2";
    match facts.isolation.address_randomisation {
        Some(2..) => ok("full (kernel.randomize_va_space is 2)"),
        Some(1) => weak("without the heap (kernel.randomize_va_space is 1)", next),
        Some(0) => missing("off (kernel.randomize_va_space is 0)", next),
        None => unsaid("whether it moves addresses about"),
    }
}

fn core_dumps(facts: &Facts) -> Verdict {
    match facts.isolation.core_bytes {
        Some(0) => ok("off for this process"),
        Some(bytes) => {
            let most = if bytes == u64::MAX { "of any size".to_owned() } else { format!("up to {}", size(bytes)) };
            weak(format!("written, {most}"), "start the node with `ulimit -c 0`, or LimitCORE=0 in its unit")
        }
        None => unsaid("whether dumps are written"),
    }
}

fn processor(facts: &Facts) -> Verdict {
    let known = &facts.isolation.vulnerabilities;
    if known.is_empty() {
        return unsaid("what its processor leaks");
    }
    let open: Vec<&str> =
        known.iter().filter(|(_, what)| what.starts_with("Vulnerable")).map(|(name, _)| name.as_str()).collect();
    if open.is_empty() {
        return ok(format!("the kernel knows {} weaknesses, none of them open", known.len()));
    }
    weak(
        format!("open: {}", open.join(", ")),
        "update the kernel and the processor's microcode; give tenants that must not share a processor nodes of their own",
    )
}
