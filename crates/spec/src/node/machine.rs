//! Reads `[limit]` and `[compile]`: what the node itself may use.

use super::{CompileLimits, NodeLimits, value};
use crate::document::{Findings, Section};

pub(super) fn read_limits(root: &Section<'_, '_>, findings: &mut Findings) -> NodeLimits {
    let default = NodeLimits::default();
    let Some(section) = root.get("limit").and_then(|value| findings.section(value, "limit", "a table, `[limit]`"))
    else {
        return default;
    };
    section.check_keys(&["slots", "loaded", "slice", "idle"], findings);
    let slice = value::duration_within(&section, "slice", NodeLimits::SLICE_MIN..=NodeLimits::SLICE_MAX, findings);
    let idle = value::duration_within(&section, "idle", NodeLimits::IDLE_MIN..=NodeLimits::IDLE_MAX, findings);
    NodeLimits {
        slots: value::count(&section, "slots", NodeLimits::SLOTS_MAX, findings),
        loaded: value::bytes_within(&section, "loaded", NodeLimits::LOADED_MIN..=NodeLimits::LOADED_MAX, findings),
        slice: slice.unwrap_or(default.slice),
        idle: idle.unwrap_or(default.idle),
    }
}

pub(super) fn read_compile(root: &Section<'_, '_>, findings: &mut Findings) -> CompileLimits {
    let Some(section) =
        root.get("compile").and_then(|value| findings.section(value, "compile", "a table, `[compile]`"))
    else {
        return CompileLimits::default();
    };
    section.check_keys(&["processes", "memory", "time"], findings);
    let memory = CompileLimits::MEMORY_MIN..=CompileLimits::MEMORY_MAX;
    CompileLimits {
        processes: value::count(&section, "processes", CompileLimits::PROCESSES_MAX, findings),
        memory: value::bytes_within(&section, "memory", memory, findings),
        time: value::duration_within(&section, "time", CompileLimits::TIME_MIN..=CompileLimits::TIME_MAX, findings),
    }
}
