//! A document against a schema.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError};
use serde_json::{Value, json};

use crate::document::{Document, Place};

/// The most errors that are listed.
pub const ERRORS_MAX: usize = 100;

/// Why a schema is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("at {path:?}: {message}")]
pub struct BadSchema {
    /// Where in the schema, as a JSON pointer.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

/// Where a document breaks its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Where in the document, as a JSON pointer.
    pub instance_path: String,
    /// Where in the schema, as a JSON pointer.
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
    let validator = jsonschema::options()
        .with_draft(Draft::Draft202012)
        // Linear in the text, whatever the pattern: a schema may come with the request.
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(true)
        .build(schema)
        .map_err(|error| BadSchema { path: error.instance_path().to_string(), message: brief(&error) })?;
    let errors = validator.iter_errors(&document.value).take(ERRORS_MAX);
    let mut broken: Vec<_> = errors.map(|error| located(&error, document)).collect();
    broken.sort_by_key(|broken| (broken.place.line, broken.place.column));
    Ok(broken)
}

fn located(error: &ValidationError<'_>, document: &Document) -> Broken {
    let instance_path = error.instance_path().to_string();
    let spot = document.spot.find(&instance_path);
    // A member that should not be there is shown at its name, not at the mapping that it stands in.
    let place = match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unexpected.first().and_then(|name| spot.name(name)).unwrap_or(spot.place)
        }
        _ => spot.place,
    };
    Broken { schema_path: error.schema_path().to_string(), message: brief(error), instance_path, place }
}

/// The message, without the value where that would be long.
fn brief(error: &ValidationError<'_>) -> String {
    const MESSAGE_BYTES_MAX: usize = 200;
    let message = error.to_string();
    if message.len() <= MESSAGE_BYTES_MAX { message } else { error.masked().to_string() }
}
