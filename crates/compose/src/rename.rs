//! The imports that a grant stands behind get a member's own names.
//!
//! Inside a component's binary whatever was imported is called by its index, so a name can change in the import section
//! and nowhere else: all other sections, nested modules and components among them, are copied as they are.

use cumulet_spec::member::own_name;
use wasm_encoder::Encode as _;
use wasmparser::{BinaryReader, ComponentImportSectionReader};

/// The binary format's magic bytes, version and layer.
const PREAMBLE_BYTES: usize = 8;
/// The section of a component's imports.
const IMPORTS: u8 = 10;
/// How an import begins whose name is nothing but a name; older tools wrote 1 before interfaces.
const PLAIN_NAMES: [u8; 2] = [0, 1];

/// Bytes that are no component, or one with an import that cannot be renamed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RenameError {
    /// They are not what they should be.
    #[error(transparent)]
    Malformed(#[from] wasmparser::BinaryReaderError),
    /// The name is more than a name.
    #[error("the import `{0}` carries attributes")]
    Attributes(String),
    /// The result is larger than a section can be.
    #[error("its list of imports is too long")]
    TooLong,
}

/// The component with the names of a member. Imports for which `is_linked` holds keep theirs.
pub(crate) fn rename(
    component: &[u8],
    member: usize,
    is_linked: impl Fn(&str) -> bool,
) -> Result<Vec<u8>, RenameError> {
    let mut reader = BinaryReader::new(component, 0);
    let mut renamed = Vec::with_capacity(component.len() + 256);
    renamed.extend_from_slice(reader.read_bytes(PREAMBLE_BYTES)?);
    while !reader.eof() {
        let id = reader.read_u8()?;
        let length = reader.read_var_u32()?;
        let content = reader.read_bytes(usize::try_from(length).unwrap_or(usize::MAX))?;
        renamed.push(id);
        if id == IMPORTS {
            let content = rename_section(content, member, &is_linked)?;
            u32::try_from(content.len()).map_err(|_larger| RenameError::TooLong)?.encode(&mut renamed);
            renamed.extend_from_slice(&content);
        } else {
            length.encode(&mut renamed);
            renamed.extend_from_slice(content);
        }
    }
    Ok(renamed)
}

fn rename_section(content: &[u8], member: usize, is_linked: &impl Fn(&str) -> bool) -> Result<Vec<u8>, RenameError> {
    let section = ComponentImportSectionReader::new(BinaryReader::new(content, 0))?;
    let mut renamed = Vec::with_capacity(content.len() + 64);
    section.count().encode(&mut renamed);
    let mut imports = section.into_iter_with_offsets().peekable();
    while let Some(import) = imports.next() {
        let (start, import) = import?;
        let end = match imports.peek() {
            Some(Ok((next, _))) => *next,
            Some(Err(error)) => return Err(error.clone().into()),
            None => content.len(),
        };
        let written = content.get(start..end).unwrap_or_default();
        let name = import.name.name;
        match own_name(member, name).filter(|_| !is_linked(name)) {
            None => renamed.extend_from_slice(written),
            Some(own) => {
                renamed.push(PLAIN_NAMES[0]);
                own.as_str().encode(&mut renamed);
                renamed.extend_from_slice(after_name(written, name)?);
            }
        }
    }
    Ok(renamed)
}

/// What an import is, as it is written after its name.
fn after_name<'a>(written: &'a [u8], name: &str) -> Result<&'a [u8], RenameError> {
    let mut reader = BinaryReader::new(written, 0);
    if !PLAIN_NAMES.contains(&reader.read_u8()?) {
        return Err(RenameError::Attributes(name.to_owned()));
    }
    reader.read_string()?;
    Ok(written.get(reader.original_position()..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT: &str = r#"(component
        (import "wasi:io/poll@0.2.6" (instance $poll (export "pollable" (type (sub resource)))))
        (import "wasi:keyvalue/store@0.2.0-draft2" (instance $store
            (export "bucket" (type $bucket (sub resource)))
            (export "open" (func (param "name" string) (result (own $bucket))))))
        (alias export $store "bucket" (type $bucket))
        (import "wasi:keyvalue/batch@0.2.0-draft2" (instance
            (alias outer 1 $bucket (type $outer))
            (export "bucket" (type $own (eq $outer)))
            (export "keys" (func (param "bucket" (borrow $own)) (result (list string))))))
        (import "acme:auth/verify" (instance (export "check" (func (result bool)))))
        (component (import "wasi:keyvalue/store@0.2.0-draft2" (instance)))
        (core module (import "wasi:keyvalue/store@0.2.0-draft2" "open" (func))))"#;

    #[test]
    fn names_change_and_all_else_stays() {
        let component = wat::parse_str(COMPONENT).unwrap();
        let renamed = rename(&component, 3, |_| false).unwrap();
        let mut validator = wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all());
        validator.validate_all(&renamed).unwrap();
        let (before, after) =
            (wasmprinter::print_bytes(&component).unwrap(), wasmprinter::print_bytes(&renamed).unwrap());
        let changed: Vec<(&str, &str)> = before.lines().zip(after.lines()).filter(|(a, b)| a != b).collect();
        assert_eq!(changed.len(), 2, "{changed:?}");
        assert!(changed[0].1.contains("\"member3:wasi-keyvalue/store@0.2.0-draft2\""), "{changed:?}");
        assert!(changed[1].1.contains("\"member3:wasi-keyvalue/batch@0.2.0-draft2\""), "{changed:?}");
        assert_eq!(before.lines().count(), after.lines().count());
    }

    #[test]
    fn what_is_linked_keeps_its_name() {
        let component = wat::parse_str(COMPONENT).unwrap();
        assert_eq!(rename(&component, 3, |_| true).unwrap(), component);
    }

    #[test]
    fn cut_bytes_are_an_error() {
        let component = wat::parse_str(COMPONENT).unwrap();
        for length in 0..component.len() {
            // A cut between two sections leaves something whole.
            if let Ok(renamed) = rename(&component[..length], 0, |_| false) {
                assert!(renamed.len() >= length, "{length}");
            }
        }
    }
}
