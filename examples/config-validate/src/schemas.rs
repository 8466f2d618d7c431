//! The schemas that come with the component.

use serde_json::Value;

/// Names and texts of the schemas.
pub const SCHEMAS: [(&str, &str); 2] = [
    ("deployment", include_str!("../data/schemas/deployment.json")),
    ("feature-flags", include_str!("../data/schemas/feature-flags.json")),
];

/// The schema of a name.
#[must_use]
pub fn named(name: &str) -> Option<Value> {
    let (_, text) = SCHEMAS.iter().find(|(known, _)| *known == name)?;
    serde_json::from_str(text).ok()
}
