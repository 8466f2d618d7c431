//! A document against a schema.

use boon::{CompileError, Compiler, Draft, ErrorKind, Schemas, SchemeUrlLoader, ValidationError};
use serde_json::{Value, json};

use crate::document::{Document, Place};

/// The most errors that are listed.
pub const ERRORS_MAX: usize = 100;

/// The address under which the schema is known while it is compiled. Nobody answers there (RFC 6761).
const ADDRESS: &str = "https://schema.invalid/schema";

/// Why a schema is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadSchema(String);

/// Where a document breaks its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Where in the document, as a JSON pointer.
    pub instance_path: String,
    /// The part of the schema that is broken, as a JSON pointer.
    pub schema_path: String,
    /// What is wrong.
    pub message: String,
    /// Where in the text.
    pub place: Place,
}

impl Broken {
    /// The error as it is sent.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "instancePath": self.instance_path,
            "schemaPath": self.schema_path,
            "message": self.message,
            "line": self.place.line,
            "column": self.place.column,
        })
    }
}

/// Checks a document. The first [`ERRORS_MAX`] errors are listed, in the order in which they stand in the text.
///
/// # Errors
/// When the schema is none.
pub fn check(schema: &Value, document: &Document) -> Result<Vec<Broken>, BadSchema> {
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V2020_12);
    compiler.enable_format_assertions();
    // A loader without any scheme: a reference never leaves the schema.
    compiler.use_loader(Box::new(SchemeUrlLoader::new()));
    let mut schemas = Schemas::new();
    let compiled =
        compiler.add_resource(ADDRESS, schema.clone()).and_then(|()| compiler.compile(ADDRESS, &mut schemas));
    let compiled = compiled.map_err(|error| bad(&error))?;
    let mut broken = Vec::new();
    if let Err(error) = schemas.validate(&document.value, compiled) {
        gather(&error, document, &mut broken);
    }
    broken.sort_by_key(|broken| (broken.place.line, broken.place.column));
    broken.truncate(ERRORS_MAX);
    Ok(broken)
}

fn bad(error: &CompileError) -> BadSchema {
    if let CompileError::ValidationError { src, .. } = error {
        // The first leaf says what is wrong; what is above it only says that something is.
        let mut leaf = src;
        while let Some(below) = leaf.causes.first() {
            leaf = below;
        }
        return BadSchema(format!("at {:?}: {}", leaf.instance_location.to_string(), leaf.kind));
    }
    BadSchema(error.to_string().replace(ADDRESS, ""))
}

/// Lists what is broken. Errors that only say that something inside them is broken give way to that; of alternatives,
/// the choice itself is listed, because none of them may have been meant.
fn gather(error: &ValidationError<'_, '_>, document: &Document, broken: &mut Vec<Broken>) {
    if broken.len() == ERRORS_MAX {
        return;
    }
    let passes_on = matches!(
        error.kind,
        ErrorKind::Group | ErrorKind::Schema { .. } | ErrorKind::Reference { .. } | ErrorKind::AllOf
    );
    if passes_on && !error.causes.is_empty() {
        error.causes.iter().for_each(|cause| gather(cause, document, broken));
    } else {
        broken.push(located(error, document));
    }
}

fn located(error: &ValidationError<'_, '_>, document: &Document) -> Broken {
    let instance_path = error.instance_location.to_string();
    let spot = document.spot.find(&instance_path);
    // A member that should not be there, or not under that name, is shown at its name.
    let name = match &error.kind {
        ErrorKind::AdditionalProperties { got } => got.first().map(AsRef::as_ref),
        ErrorKind::PropertyName { prop } => Some(prop.as_str()),
        _ => None,
    };
    let place = name.and_then(|name| spot.name(name)).unwrap_or(spot.place);
    let schema_path = error.schema_url.split_once('#').map_or("", |(_, pointer)| pointer).to_owned();
    Broken { instance_path, schema_path, message: brief(&error.kind), place }
}

/// The message, cut where a value in it is long.
fn brief(kind: &ErrorKind<'_, '_>) -> String {
    const LETTERS_MAX: usize = 200;
    kind.to_string().chars().take(LETTERS_MAX).collect()
}
