//! What an error of the client means.

use std::error::Error;

use object_store::client::HttpError;

use crate::blobstore::ContainerError;

/// What is kept of a code that the server sent, in bytes: S3's own are shorter.
const CODE_BYTES_MAX: usize = 64;

/// The error of an operation on an object, or on none.
///
/// What a server says beside its code is left out: refusing a signature, S3 sends back what was signed and whose key it
/// was.
pub(super) fn failed(name: Option<&str>, error: &object_store::Error) -> ContainerError {
    if is_transient(error) {
        tracing::warn!(error = transport_error(error).map(tracing::field::display), "a bucket cannot be reached");
        return ContainerError::Unavailable;
    }
    let code = code(error).unwrap_or_else(|| "no code".to_owned());
    let text = match (error, name) {
        (object_store::Error::NotFound { .. }, Some(name)) => return ContainerError::Missing(name.to_owned()),
        (object_store::Error::NotFound { .. }, None) => "there is no such bucket",
        (object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }, _) => {
            "the credentials do not allow it"
        }
        (object_store::Error::InvalidPath { .. }, _) => "the bucket holds keys that are not of a container",
        _ => "the server refused, or sent something else than S3 would",
    };
    ContainerError::Backend(format!("{text} ({code})"))
}

/// Whether the same may succeed later.
pub(super) fn is_transient(error: &object_store::Error) -> bool {
    transport_error(error).is_some() || matches!(code(error).as_deref(), Some("InternalError" | "SlowDown"))
}

fn transport_error(error: &object_store::Error) -> Option<&HttpError> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The code in the XML of S3's answer, which the client keeps as a text.
fn code(error: &object_store::Error) -> Option<String> {
    let text = error.to_string();
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let is_code = code.len() <= CODE_BYTES_MAX && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_code.then(|| code.to_owned())
}
