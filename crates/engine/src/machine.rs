//! What the machine has of what pools take.

/// Memory that is assumed where the machine does not say, in bytes.
const MEMORY_BYTES_DEFAULT: u64 = 4 << 30;
/// Mappings that are assumed: what Linux allows a process unless it is told otherwise.
const MAPPINGS_DEFAULT: u64 = 65_530;
/// Address space that is assumed, in bytes: 47 bits, as user programs have on x86-64.
const ADDRESS_BYTES_DEFAULT: u64 = 1 << 47;

/// What this process may have of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Memory, in bytes: the machine's, or the control group's where that is less.
    pub memory_bytes: u64,
    /// Mappings, which Linux calls `vm.max_map_count`.
    pub mappings_max: u64,
    /// Address space, in bytes.
    pub address_bytes: u64,
}

impl Default for Machine {
    /// What is assumed where nothing can be read.
    fn default() -> Self {
        Self {
            memory_bytes: MEMORY_BYTES_DEFAULT,
            mappings_max: MAPPINGS_DEFAULT,
            address_bytes: ADDRESS_BYTES_DEFAULT,
        }
    }
}

impl Machine {
    /// Reads what the machine has. What cannot be read, and everything on systems other than Linux, is as in the
    /// default. Blocks for as long as a handful of small files take.
    #[must_use]
    pub fn read() -> Self {
        let assumed = Self::default();
        let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let total = memory_total(&text("/proc/meminfo")).unwrap_or(assumed.memory_bytes);
        let group = group_path(&text("/proc/self/cgroup"))
            .and_then(|path| number(&text(&format!("/sys/fs/cgroup{path}/memory.max"))))
            .unwrap_or(u64::MAX);
        let reach = address_reach(&text("/proc/self/maps")).unwrap_or(assumed.address_bytes);
        Self {
            memory_bytes: total.min(group),
            mappings_max: number(&text("/proc/sys/vm/max_map_count")).unwrap_or(assumed.mappings_max),
            address_bytes: reach.min(address_limit()),
        }
    }
}

/// The limit that the process was started with (`ulimit -v`).
fn address_limit() -> u64 {
    rustix::process::getrlimit(rustix::process::Resource::As).current.unwrap_or(u64::MAX)
}

fn number(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// The line `MemTotal: N kB`.
fn memory_total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    number(line.trim_end_matches("kB")).map(|kib| kib.saturating_mul(1 << 10))
}

/// The line of version 2 of control groups, `0::PATH`.
fn group_path(groups: &str) -> Option<&str> {
    groups.lines().find_map(|line| line.strip_prefix("0::"))
}

/// The power of two above the stack, which stands at the end of what a process may address.
fn address_reach(maps: &str) -> Option<u64> {
    let stack = maps.lines().find(|line| line.ends_with("[stack]"))?;
    let (range, _) = stack.split_once(' ')?;
    let (_, end) = range.split_once('-')?;
    u64::from_str_radix(end, 16).ok()?.checked_next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_linux_are_read() {
        assert_eq!(memory_total("MemTotal:       24684092 kB\nMemFree: 1 kB\n"), Some(24_684_092 << 10));
        assert_eq!(memory_total("nothing"), None);
        assert_eq!(group_path("1:cpu:/x\n0::/system.slice/node\n"), Some("/system.slice/node"));
        assert_eq!(group_path("1:cpu:/x\n"), None);
        assert_eq!(number("65530\n"), Some(65_530));
        assert_eq!(number("max\n"), None);
    }

    #[test]
    fn the_stack_shows_how_far_addresses_reach() {
        let check = |line: &str, reach| assert_eq!(address_reach(line), reach, "{line}");
        check("7ffd3c000000-7ffd3c021000 rw-p 00000000 00:00 0                          [stack]", Some(1 << 47));
        check("ffffdc0df000-ffffdc100000 rw-p 00000000 00:00 0                          [stack]", Some(1 << 48));
        check("7fdc0df000-7fdc100000 rw-p 00000000 00:00 0                              [stack]", Some(1 << 39));
        check("7ffd3c000000-7ffd3c021000 rw-p 00000000 00:00 0", None);
        check("x [stack]", None);
    }

    #[test]
    fn this_machine_has_something() {
        let machine = Machine::read();
        assert!(machine.memory_bytes > 0 && machine.mappings_max > 0 && machine.address_bytes > 0, "{machine:?}");
    }
}
