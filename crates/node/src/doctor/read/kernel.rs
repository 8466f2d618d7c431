//! What the kernel says of itself and of this process. Everything is `None` on systems other than Linux.

use super::super::facts::{Compiling, Isolation, Limits};
use crate::descriptors::raise_descriptors;
use crate::node::loaded_files;
use cumulet_engine::{Machine, PoolSettings, pagemap_scan_is_available};
use rustix::process::{Resource, getrlimit};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What is known of the processor's weaknesses, a file each.
const VULNERABILITIES: &str = "/sys/devices/system/cpu/vulnerabilities";

pub(super) fn isolation(compiling: Option<Compiling>) -> Isolation {
    let is_linux = cfg!(target_os = "linux");
    Isolation {
        pagemap_scan: is_linux.then(pagemap_scan_is_available),
        swap_kib: text("/proc/swaps").map(|swaps| swap_kib(&swaps)),
        protection_keys: text("/proc/cpuinfo").map(|cpu| has_flag(&cpu, "ospke")),
        address_randomisation: number("/proc/sys/kernel/randomize_va_space").and_then(|how| u8::try_from(how).ok()),
        core_bytes: is_linux.then(|| getrlimit(Resource::Core).current.unwrap_or(u64::MAX)),
        vulnerabilities: vulnerabilities(),
        compiling,
    }
}

pub(super) fn limits() -> Limits {
    if !cfg!(target_os = "linux") {
        return Limits::default();
    }
    // A node raises it as well.
    let files = raise_descriptors().soft;
    let machine = Machine::read();
    let total = text("/proc/meminfo").and_then(|about| field_kib(&about, "MemTotal:"));
    Limits {
        mappings_max: number("/proc/sys/vm/max_map_count"),
        files_max: Some(files),
        address_bytes: Some(machine.address_bytes),
        memory_bytes: total.map(|kib| kib << 10),
        memory_group_bytes: text("/proc/self/cgroup").and_then(|groups| group_memory(&groups, number)),
        processors: text("/sys/devices/system/cpu/online").as_deref().and_then(count),
        processors_usable: std::thread::available_parallelism().ok().and_then(|count| u64::try_from(count.get()).ok()),
        has_pressure: Some(Path::new("/proc/pressure/cpu").exists()),
        huge_pages: text("/sys/kernel/mm/transparent_hugepage/enabled").and_then(|modes| chosen(&modes)),
        slots: Some(u64::from(PoolSettings::for_machine(&machine).slots)),
        loaded_files: Some(loaded_files(&machine, files)),
    }
}

/// The text of a small file, without its last line break.
pub(super) fn text(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim_end().to_owned())
}

fn number(path: &str) -> Option<u64> {
    text(path)?.trim().parse().ok()
}

/// The third column of each line below the heading.
fn swap_kib(swaps: &str) -> u64 {
    let sizes = swaps.lines().skip(1).filter_map(|line| line.split_whitespace().nth(2)?.parse::<u64>().ok());
    sizes.sum()
}

fn has_flag(cpuinfo: &str, flag: &str) -> bool {
    let flags = cpuinfo.lines().find_map(|line| line.strip_prefix("flags"));
    flags.is_some_and(|flags| flags.split_whitespace().any(|known| known == flag))
}

fn field_kib(about: &str, name: &str) -> Option<u64> {
    about.lines().find_map(|line| line.strip_prefix(name))?.trim_end_matches("kB").trim().parse().ok()
}

/// The word in brackets.
fn chosen(modes: &str) -> Option<String> {
    let (_, rest) = modes.split_once('[')?;
    Some(rest.split_once(']')?.0.to_owned())
}

/// How many numbers a list such as `0-3,6` has.
fn count(list: &str) -> Option<u64> {
    let range = |part: &str| -> Option<u64> {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        last.trim().parse::<u64>().ok()?.checked_sub(first.trim().parse().ok()?)?.checked_add(1)
    };
    list.split(',').map(range).sum()
}

/// The least that a control group of this process, or one above it, may have: version 2 of control groups, and version 1.
fn group_memory(groups: &str, number: impl Fn(&str) -> Option<u64>) -> Option<u64> {
    /// Version 1 says "no limit" with a number near the largest.
    const NO_LIMIT: u64 = 1 << 60;
    let mut least = None::<u64>;
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            memory if memory.split(',').any(|name| name == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        for above in Path::new(path).ancestors() {
            let path = format!("{root}{}/{file}", above.to_string_lossy().trim_end_matches('/'));
            let found = number(&path).filter(|bytes| *bytes < NO_LIMIT);
            least = [least, found].into_iter().flatten().min();
        }
    }
    least
}

fn vulnerabilities() -> BTreeMap<String, String> {
    let Ok(entries) = fs::read_dir(VULNERABILITIES) else { return BTreeMap::new() };
    let known = entries.filter_map(Result::ok).filter_map(|entry| {
        let what = fs::read_to_string(entry.path()).ok()?;
        Some((entry.file_name().into_string().ok()?, what.trim().to_owned()))
    });
    known.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_linux_are_read() {
        assert_eq!(
            swap_kib("Filename Type Size Used Priority\n/dev/vda2 partition 2097148 0 -2\n/s file 4 0 -3\n"),
            2_097_152
        );
        assert_eq!(swap_kib("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"), 0);
        assert!(has_flag("processor : 0\nflags\t\t: fpu pku ospke\n", "ospke") && !has_flag("flags : fpu", "ospke"));
        assert_eq!(field_kib("MemTotal:       24684092 kB\nMemFree: 1 kB\n", "MemTotal:"), Some(24_684_092));
        assert_eq!(chosen("always [madvise] never\n").as_deref(), Some("madvise"));
        for (list, expect) in [("0", Some(1)), ("0-3,6", Some(5)), ("0-1\n", Some(2)), ("", None), ("3-1", None)] {
            assert_eq!(count(list), expect, "{list}");
        }
    }

    #[test]
    fn the_tightest_control_group_counts() {
        let check = |groups: &str, files: &[(&str, u64)], expect: Option<u64>| {
            let number = |path: &str| files.iter().find(|(known, _)| *known == path).map(|(_, bytes)| *bytes);
            assert_eq!(group_memory(groups, number), expect, "{groups}");
        };
        let two = "0::/system.slice/node.service\n";
        check(
            two,
            &[
                ("/sys/fs/cgroup/system.slice/memory.max", 7),
                ("/sys/fs/cgroup/system.slice/node.service/memory.max", 9),
            ],
            Some(7),
        );
        check("4:memory:/box\n0::/\n", &[("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", 8)], Some(8));
        check("4:memory:/box\n", &[("/sys/fs/cgroup/memory/memory.limit_in_bytes", 9_223_372_036_854_771_712)], None);
        check("0::/\n", &[("/sys/fs/cgroup/memory.max", 5)], Some(5));
        check("1:cpu:/\n", &[], None);
    }

    #[test]
    fn this_machine_says_something() {
        let limits = limits();
        assert_eq!(limits.slots.is_some(), cfg!(target_os = "linux"));
        assert!(!cfg!(target_os = "linux") || isolation(None).address_randomisation.is_some());
    }
}
