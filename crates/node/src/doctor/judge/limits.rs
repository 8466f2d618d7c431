//! How much there may be of everything.

use super::super::facts::Facts;
use super::{Check, Verdict, missing, ok, size, unsaid, weak};

pub(super) const CHECKS: &[Check] = &[
    Check { name: "slots", why: "so many requests run at once; others wait, then get 503", judge: slots },
    Check { name: "mappings", why: "instances and loaded apps take mappings of the process", judge: mappings },
    Check { name: "open-files", why: "each loaded app and each connection is an open file", judge: open_files },
    Check {
        name: "address-space",
        why: "pools reserve address space, not memory; with little of it there are few slots",
        judge: address_space,
    },
    Check { name: "memory", why: "guests, loaded apps and compilers share it", judge: memory },
    Check {
        name: "huge-pages",
        why: "with huge pages everywhere, a guest that writes a byte may take 2 MiB",
        judge: huge_pages,
    },
    Check { name: "processors", why: "guests run on as many at once", judge: processors },
    Check {
        name: "processor-pressure",
        why: "it shows when requests wait because there are too few processors",
        judge: pressure,
    },
];

/// Fewer slots than this are the least that a node has.
const SLOTS_MIN: u64 = 64;
/// With fewer slots than this a single busy app can make others wait.
const SLOTS_COMFORTABLE: u64 = 512;
/// What Linux allows where nobody changed it; fewer have been taken away.
const MAPPINGS_COMFORTABLE: u64 = 65_530;
/// Files with which a node does not start well.
const FILES_MIN: u64 = 256;
/// Files with which it serves some hundred apps and connections.
const FILES_COMFORTABLE: u64 = 4_096;
/// Address space on which the least pools fit, with all else.
const ADDRESS_MIN: u64 = 4 << 40;
/// Memory with which a node starts and serves a few small apps.
const MEMORY_MIN: u64 = 256 << 20;
/// Memory that leaves a compiler its own GiB.
const MEMORY_COMFORTABLE: u64 = 2 << 30;

fn slots(facts: &Facts) -> Verdict {
    match facts.limits.slots {
        None => unsaid("what there is of what they take"),
        Some(slots @ ..=SLOTS_MIN) => {
            weak(format!("{slots}, the least there can be"), "see memory, mappings and address space below")
        }
        Some(slots) if slots < SLOTS_COMFORTABLE => weak(
            format!("{slots} instances at once"),
            "see memory, mappings and address space below: the scarcest decides",
        ),
        Some(slots) => ok(format!("{slots} instances at once")),
    }
}

fn mappings(facts: &Facts) -> Verdict {
    let Some(most) = facts.limits.mappings_max else { return unsaid("how many it allows") };
    let files = facts.limits.loaded_files.map(|files| format!(": {files} compiled files loaded at once"));
    let found = format!("vm.max_map_count is {most}{}", files.unwrap_or_default());
    if most < MAPPINGS_COMFORTABLE {
        return weak(found, "sysctl vm.max_map_count=262144");
    }
    ok(found)
}

fn open_files(facts: &Facts) -> Verdict {
    let next = "raise the hard limit: ulimit -Hn 65536, or LimitNOFILE=65536 in the node's unit";
    match facts.limits.files_max {
        None => unsaid("how many it allows"),
        Some(u64::MAX) => ok("no limit"),
        Some(most) if most < FILES_MIN => missing(format!("{most} at once"), next),
        Some(most) if most < FILES_COMFORTABLE => weak(format!("{most} at once"), next),
        Some(most) => ok(format!("{most} at once")),
    }
}

fn address_space(facts: &Facts) -> Verdict {
    match facts.limits.address_bytes {
        None => unsaid("how much there is"),
        Some(bytes) if bytes < ADDRESS_MIN => {
            missing(size(bytes), "remove the limit: ulimit -v unlimited, or LimitAS=infinity in the node's unit")
        }
        Some(bytes) => ok(size(bytes)),
    }
}

fn memory(facts: &Facts) -> Verdict {
    let limits = &facts.limits;
    let Some(machine) = limits.memory_bytes else { return unsaid("how much it has") };
    let usable = limits.memory_group_bytes.map_or(machine, |group| group.min(machine));
    let found = if usable < machine {
        format!("{}, of {} that the machine has", size(usable), size(machine))
    } else {
        format!("{}, no limit of a control group", size(machine))
    };
    match usable {
        ..MEMORY_MIN => missing(found, "give the node at least 256 MiB"),
        MEMORY_MIN..MEMORY_COMFORTABLE => {
            weak(found, "give the node 2 GiB, or set `memory` in [compile] and `loaded` in [limit] to less")
        }
        MEMORY_COMFORTABLE.. => ok(found),
    }
}

fn huge_pages(facts: &Facts) -> Verdict {
    match facts.limits.huge_pages.as_deref() {
        Some("always") => weak("always", "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"),
        Some(when) => ok(when),
        None => unsaid("when it uses them"),
    }
}

fn processors(facts: &Facts) -> Verdict {
    match (facts.limits.processors_usable, facts.limits.processors) {
        (Some(usable), Some(all)) if usable < all => ok(format!("{usable}, of {all} that the machine has")),
        (Some(1), _) => weak("1", "with one processor, compiling and serving wait for each other: give the node two"),
        (Some(usable), _) => ok(usable.to_string()),
        (None, _) => unsaid("how many there are"),
    }
}

fn pressure(facts: &Facts) -> Verdict {
    match facts.limits.has_pressure {
        Some(true) => ok("/proc/pressure/cpu is there"),
        Some(false) => weak("the kernel does not measure it", "boot the kernel with psi=1"),
        None => unsaid("how much processes wait"),
    }
}
