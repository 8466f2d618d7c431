//! What a component is, read from its bytes: the world it is made for, what it imports, what it exports.
//!
//! Nothing is compiled and nothing runs. `check` uses this to compare imports with grants, and `up` to refuse a wrong
//! file before the compiler sees it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use wasmparser::{Encoding, Parser, Payload, Validator, WasmFeatures};

/// The module name under which core modules import WASI preview 1.
pub const PREVIEW1: &str = "wasi_snapshot_preview1";

/// What a file turned out to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The world that it is made for.
    pub kind: Kind,
    /// The names of its imports, sorted, each once: interfaces of a component (`wasi:http/types@0.2.3`), module names of a core module.
    pub imports: Vec<String>,
    /// The names of its exports, sorted, each once.
    pub exports: Vec<String>,
}

/// The world that a component or module is made for, told by its exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Exports `wasi:http/incoming-handler@0.2.x`.
    HttpP2,
    /// Exports `wasi:http/handler@0.3.x`.
    HttpP3,
    /// A core module with `_start`, made for WASI preview 1.
    CommandP1,
    /// Exports `wasi:cli/run@0.2.x`.
    CommandP2,
    /// Exports `wasi:cli/run@0.3.x`.
    CommandP3,
    /// Any other core module.
    Module,
    /// A component of no world that a trigger or `run` can start; it can be linked to others.
    Library,
}

impl Kind {
    /// Whether a request can be routed to it: it exports a handler, or is a program that answers by CGI.
    #[must_use]
    pub fn answers(self) -> bool {
        matches!(self, Self::HttpP2 | Self::HttpP3) || self.is_command()
    }

    /// Whether it is a command that ends with an exit code.
    #[must_use]
    pub fn is_command(self) -> bool {
        matches!(self, Self::CommandP1 | Self::CommandP2 | Self::CommandP3)
    }

    /// Whether the bytes are a core module and not a component.
    #[must_use]
    pub fn is_core_module(self) -> bool {
        matches!(self, Self::CommandP1 | Self::Module)
    }

    /// A stable word for machine output.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::HttpP2 => "http-p2",
            Self::HttpP3 => "http-p3",
            Self::CommandP1 => "command-p1",
            Self::CommandP2 => "command-p2",
            Self::CommandP3 => "command-p3",
            Self::Module => "module",
            Self::Library => "library",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HttpP2 => "HTTP component (WASI 0.2)",
            Self::HttpP3 => "HTTP component (WASI 0.3)",
            Self::CommandP1 => "command module (WASI preview 1)",
            Self::CommandP2 => "command component (WASI 0.2)",
            Self::CommandP3 => "command component (WASI 0.3)",
            Self::Module => "core module",
            Self::Library => "component without a handler or a command",
        })
    }
}

/// Why bytes could not be read as WebAssembly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// No bytes at all.
    #[error("the file is empty")]
    Empty,
    /// Neither the binary nor the text format.
    #[error(
        "the file is not WebAssembly: it starts with {start}, and neither with the magic bytes of a binary nor with `(` of a text file"
    )]
    NotWasm {
        /// The first bytes, in hexadecimal.
        start: String,
    },
    /// The bytes end inside something.
    #[error("the file is truncated: its {length} bytes end inside a section")]
    Truncated {
        /// How many bytes there are.
        length: usize,
    },
    /// The bytes contradict the format.
    #[error("the file is corrupt: {message} (at byte {offset})")]
    Corrupt {
        /// What contradicts it.
        message: String,
        /// Where, counted from the start of the binary.
        offset: usize,
    },
    /// The text format has a mistake.
    #[error("the text is not valid WebAssembly:\n{message}")]
    Text {
        /// The parser's message with line and column.
        message: String,
    },
}

/// Reads what `bytes` (the binary or the text format) hold: headers, imports and exports, not the code.
///
/// # Errors
/// When the bytes are not WebAssembly or their framing is broken. Broken code inside a sound frame is found by [`validate`].
pub fn inspect(bytes: &[u8]) -> Result<Inspection, InspectError> {
    let binary = to_binary(bytes)?;
    let mut names = Names::default();
    for payload in Parser::new(0).parse_all(&binary) {
        let payload = payload.map_err(|error| refused(&error, binary.len()))?;
        if let Payload::UnknownSection { id, range, .. } = &payload {
            let message = format!("there is no section of the kind {id}");
            return Err(InspectError::Corrupt { message, offset: range.start });
        }
        names.read(payload).map_err(|error| refused(&error, binary.len()))?;
    }
    let kind = names.kind();
    Ok(Inspection { kind, imports: names.imports.into_iter().collect(), exports: names.exports.into_iter().collect() })
}

/// Validates all of `bytes` (the binary or the text format), function bodies too. Takes about 20 ms a megabyte.
///
/// # Errors
/// At the first thing that contradicts the format.
pub fn validate(bytes: &[u8]) -> Result<(), InspectError> {
    let binary = to_binary(bytes)?;
    Validator::new_with_features(WasmFeatures::all())
        .validate_all(&binary)
        .map(|_types| ())
        .map_err(|error| refused(&error, binary.len()))
}

/// The binary format of `bytes`, which may be in the text format.
pub(crate) fn to_binary(bytes: &[u8]) -> Result<Cow<'_, [u8]>, InspectError> {
    if bytes.is_empty() {
        return Err(InspectError::Empty);
    }
    if bytes.starts_with(b"\0asm") {
        return Ok(Cow::Borrowed(bytes));
    }
    if b"\0asm".starts_with(bytes) {
        return Err(InspectError::Truncated { length: bytes.len() });
    }
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if !matches!(first, Some(b'(' | b';')) {
        let start = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        return Err(InspectError::NotWasm { start });
    }
    wat::parse_bytes(bytes).map_err(|error| InspectError::Text { message: error.to_string() })
}

fn refused(error: &wasmparser::BinaryReaderError, length: usize) -> InspectError {
    let message = error.message();
    // What is missed at the very end was cut off.
    if message.starts_with("unexpected end") || error.offset() >= length {
        return InspectError::Truncated { length };
    }
    InspectError::Corrupt { message: message.to_owned(), offset: error.offset() }
}

/// Imports and exports of the outermost module or component, gathered while its sections pass by.
#[derive(Default)]
struct Names {
    depth: usize,
    is_module: bool,
    imports: BTreeSet<String>,
    exports: BTreeSet<String>,
}

impl Names {
    fn read(&mut self, payload: Payload<'_>) -> wasmparser::Result<()> {
        match payload {
            Payload::Version { encoding, .. } if self.depth == 0 => self.is_module = encoding == Encoding::Module,
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => self.depth += 1,
            Payload::End(_) => self.depth = self.depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if self.depth == 0 => {
                for import in section {
                    self.imports.insert(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if self.depth == 0 => {
                for export in section {
                    self.exports.insert(export?.name.name.to_owned());
                }
            }
            Payload::ImportSection(section) if self.depth == 0 => {
                for import in section.into_imports() {
                    self.imports.insert(import?.module.to_owned());
                }
            }
            Payload::ExportSection(section) if self.depth == 0 => {
                for export in section {
                    self.exports.insert(export?.name.to_owned());
                }
            }
            // Types, code and data say nothing about the world.
            _ => {}
        }
        Ok(())
    }

    fn kind(&self) -> Kind {
        // A release candidate (`0.3.0-rc-…`) is another interface than the release.
        let exports = |prefix: &str| self.exports.iter().any(|name| name.starts_with(prefix) && !name.contains("-rc"));
        if self.is_module {
            let preview1 = self.imports.is_empty() || self.imports.contains(PREVIEW1);
            return if preview1 && self.exports.contains("_start") { Kind::CommandP1 } else { Kind::Module };
        }
        match () {
            () if exports("wasi:http/handler@0.3.") => Kind::HttpP3,
            () if exports("wasi:http/incoming-handler@0.2.") => Kind::HttpP2,
            () if exports("wasi:cli/run@0.3.") => Kind::CommandP3,
            () if exports("wasi:cli/run@0.2.") => Kind::CommandP2,
            () => Kind::Library,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, kind: Kind, imports: &[&str]) {
        let inspection = inspect(text.as_bytes()).unwrap();
        assert_eq!(inspection.kind, kind);
        assert_eq!(inspection.imports, imports);
    }

    #[track_caller]
    fn check_refused(bytes: &[u8], expect: &str) {
        assert_eq!(inspect(bytes).unwrap_err().to_string(), expect);
    }

    #[test]
    fn kinds() {
        check("(module)", Kind::Module, &[]);
        check("(module (func (export \"_start\")))", Kind::CommandP1, &[]);
        check(
            "(module (import \"wasi_snapshot_preview1\" \"sched_yield\" (func (result i32)))
                     (import \"wasi_snapshot_preview1\" \"proc_exit\" (func (param i32)))
                     (func (export \"_start\")))",
            Kind::CommandP1,
            &["wasi_snapshot_preview1"],
        );
        check("(module (import \"env\" \"f\" (func)) (func (export \"_start\")))", Kind::Module, &["env"]);
        check("(component)", Kind::Library, &[]);
        check("(component (instance $i) (export \"wasi:http/handler@0.3.0\" (instance $i)))", Kind::HttpP3, &[]);
        check(
            "(component (instance $i) (export \"wasi:http/incoming-handler@0.2.4\" (instance $i)))",
            Kind::HttpP2,
            &[],
        );
        check("(component (instance $i) (export \"wasi:cli/run@0.2.0\" (instance $i)))", Kind::CommandP2, &[]);
        check("(component (instance $i) (export \"wasi:cli/run@0.3.0\" (instance $i)))", Kind::CommandP3, &[]);
        check(
            "(component (instance $i) (export \"wasi:http/handler@0.3.0-rc-2025-09-16\" (instance $i)))",
            Kind::Library,
            &[],
        );
    }

    #[test]
    fn imports_of_nested_components_stay_inside() {
        check(
            "(component
                (import \"wasi:cli/environment@0.2.0\" (instance))
                (component (import \"inner:only/thing\" (instance)))
                (core module (import \"env\" \"f\" (func)))
                (import \"acme:auth/verify\" (instance)))",
            Kind::Library,
            &["acme:auth/verify", "wasi:cli/environment@0.2.0"],
        );
    }

    #[test]
    fn refusals() {
        check_refused(b"", "the file is empty");
        check_refused(b"\0as", "the file is truncated: its 3 bytes end inside a section");
        check_refused(
            b"#!/bin/sh",
            "the file is not WebAssembly: it starts with 23 21 2f 62, and neither with the magic bytes of a binary nor with `(` of a text file",
        );
        let whole =
            wat::parse_str("(module (func (export \"_start\") nop) (memory 1) (data (i32.const 0) \"0123456789\"))")
                .unwrap();
        for length in 4..whole.len() {
            let part = whole.get(..length).unwrap();
            match inspect(part) {
                Err(InspectError::Truncated { .. }) => {}
                // A cut between two sections leaves a sound, smaller module.
                Ok(_) => {}
                other => panic!("cut at {length}: {other:?}"),
            }
        }
    }

    #[test]
    fn unknown_sections_are_refused() {
        check_refused(
            b"\0asm\x0d\0\x01\0\x7f\x01\0",
            "the file is corrupt: there is no section of the kind 127 (at byte 10)",
        );
    }

    #[test]
    fn broken_code_is_found_by_validation_alone() {
        let mut bytes = wat::parse_str("(module (func (result i32) i32.const 7))").unwrap();
        let constant = bytes.iter().rposition(|byte| *byte == 0x41).unwrap();
        *bytes.get_mut(constant).unwrap() = 0x42;
        assert_eq!(inspect(&bytes).map(|inspection| inspection.kind), Ok(Kind::Module));
        assert!(matches!(validate(&bytes), Err(InspectError::Corrupt { .. })));
    }

    #[test]
    fn text_errors_point_at_a_line() {
        let error = inspect(b"(module\n  (fnc))").unwrap_err().to_string();
        assert!(error.contains("2:4"), "{error}");
    }
}
