//! What a component is, looked at before it is composed.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wac_graph::types::{Interface, ItemKind, Package, Type, Types};
use wasmparser::{BinaryReaderError, Encoding, Parser, Payload, ValidPayload, Validator, WasmFeatures};

/// The binary format of `bytes`, which may be in the text format.
///
/// # Errors
/// What is wrong with the text.
pub(crate) fn to_binary(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    wat::parse_bytes(bytes).map_err(|error| error.to_string())
}

/// Validates everything but the bodies of functions, which the compiler reads anyway.
///
/// # Errors
/// At the first thing that contradicts the format.
pub(crate) fn validate_shape(component: &[u8]) -> Result<(), BinaryReaderError> {
    validate_with(component, WasmFeatures::all())
}

/// Whether a valid component needs an engine that runs several calls of one instance at once.
#[must_use]
pub fn needs_async(component: &[u8]) -> bool {
    validate_with(component, WasmFeatures::all() - WasmFeatures::CM_ASYNC).is_err()
}

fn validate_with(component: &[u8], features: WasmFeatures) -> Result<(), BinaryReaderError> {
    let mut validator = Validator::new_with_features(features);
    for payload in Parser::new(0).parse_all(component) {
        match validator.payload(&payload?)? {
            ValidPayload::Ok | ValidPayload::Parser(_) | ValidPayload::Func(..) | ValidPayload::End(_) => {}
        }
    }
    Ok(())
}

/// The names of a component's imports; none if it is no component.
pub(crate) fn import_names(component: &[u8]) -> Result<Option<Vec<String>>, BinaryReaderError> {
    let (mut depth, mut names) = (0_usize, Vec::new());
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => return Ok(None),
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 0 => {
                for import in imports {
                    names.push(import?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(Some(names))
}

/// The imports that hold nothing but types, so that nothing has to stand behind them. Empty for bytes that are no
/// component.
#[must_use]
pub fn hollow_imports(bytes: &[u8]) -> BTreeSet<String> {
    // What a component makes of its types is its own doing, and the library was not written for hostile ones.
    catch_unwind(AssertUnwindSafe(|| try_hollow(bytes))).ok().flatten().unwrap_or_default()
}

fn try_hollow(bytes: &[u8]) -> Option<BTreeSet<String>> {
    let component = to_binary(bytes).ok()?;
    validate_shape(&component).ok()?;
    let mut types = Types::new();
    let package = Package::from_bytes("component", None, component.into_owned(), &mut types).ok()?;
    let imports = types[package.ty()].imports.iter();
    let hollow = imports.filter(|(_, kind)| match kind {
        ItemKind::Instance(id) => is_hollow(&types[*id]),
        _ => false,
    });
    Some(hollow.map(|(name, _)| name.clone()).collect())
}

/// A resource that another interface defines is only named again; one of its own would have to be there. An interface of
/// nothing at all comes from no tool, and stays what it is: unknown.
fn is_hollow(interface: &Interface) -> bool {
    !interface.exports.is_empty()
        && interface.exports.iter().all(|(name, kind)| match kind {
            ItemKind::Type(Type::Resource(_)) => interface.uses.contains_key(name),
            ItemKind::Type(_) => true,
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_of_types_alone_is_hollow() {
        let component = r#"(component
            (type $types (instance
                (type $record (record (field "name" string)))
                (export "user" (type (eq $record)))))
            (import "acme:auth/types" (instance (type $types)))
            (import "acme:auth/nothing" (instance))
            (import "acme:auth/session" (instance (export "session" (type (sub resource)))))
            (import "acme:auth/verify" (instance (export "check" (func (result bool))))))"#;
        let hollow: Vec<String> = hollow_imports(component.as_bytes()).into_iter().collect();
        assert_eq!(hollow, ["acme:auth/types"]);
        assert_eq!(hollow_imports(b"\0asm\x01\0\0\0"), BTreeSet::new());
        assert_eq!(hollow_imports(b"no component"), BTreeSet::new());
    }

    #[test]
    fn the_names_of_nested_components_are_their_own() {
        let component = r#"(component
            (import "a:b/c" (instance))
            (component (import "d:e/f" (instance)))
            (import "g:h/i" (instance)))"#;
        let names = import_names(&wat::parse_str(component).unwrap()).unwrap().unwrap();
        assert_eq!(names, ["a:b/c", "g:h/i"]);
        assert_eq!(import_names(&wat::parse_str("(module)").unwrap()).unwrap(), None);
    }
}
