//! What an operator puts behind a name that a manifest grants.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::grant::Capability;
use crate::sensitive::Sensitive;

/// A backend for one granted name, written `keyvalue.default=redis://cache.internal:6379`.
///
/// The address may carry a password, so it is not printed; `env:NAME` instead of an address takes it from a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The kind of store.
    pub capability: Capability,
    /// The name, as manifests grant it.
    pub name: String,
    /// Where the backend is.
    pub address: Address,
}

/// Where a backend is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A URL.
    Url(Sensitive),
    /// The name of a variable that holds the URL.
    Env(String),
}

/// The text is not a binding.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BindingError {
    /// No `KIND.NAME=URL`.
    #[error("write KIND.NAME=URL, for example `keyvalue.default=redis://127.0.0.1:6379`")]
    Form,
    /// A kind that has no backends.
    #[error("{0:?} has no backends; `keyvalue`, `blobstore` and `postgres` have")]
    Kind(String),
    /// A scheme that this kind does not know.
    #[error("a `{capability}` can be bound to {}", list(*capability))]
    Scheme {
        /// The kind.
        capability: Capability,
    },
}

/// The schemes of each kind's backends.
fn schemes(capability: Capability) -> &'static [&'static str] {
    match capability {
        Capability::Keyvalue => &["redis", "rediss", "nats", "tls"],
        Capability::Blobstore => &["s3", "file"],
        Capability::Postgres => &["postgres", "postgresql"],
        Capability::Http
        | Capability::Sqlite
        | Capability::Config
        | Capability::Secret
        | Capability::Env
        | Capability::File
        | Capability::Network => &[],
    }
}

fn list(capability: Capability) -> String {
    let schemes: Vec<_> = schemes(capability).iter().map(|scheme| format!("`{scheme}:`")).collect();
    schemes.join(", ")
}

impl FromStr for Binding {
    type Err = BindingError;

    fn from_str(text: &str) -> Result<Self, BindingError> {
        let (place, address) = text.split_once('=').ok_or(BindingError::Form)?;
        let (kind, name) = place.split_once('.').ok_or(BindingError::Form)?;
        if name.is_empty() || address.is_empty() {
            return Err(BindingError::Form);
        }
        let capability = Capability::ALL.into_iter().find(|capability| capability.label() == kind);
        let capability = capability.filter(|capability| !schemes(*capability).is_empty());
        let capability = capability.ok_or_else(|| BindingError::Kind(kind.to_owned()))?;
        let address = match address.strip_prefix("env:") {
            Some(variable) if !variable.is_empty() => Address::Env(variable.to_owned()),
            Some(_) => return Err(BindingError::Form),
            None => Address::Url(url(capability, address)?),
        };
        Ok(Self { capability, name: name.to_owned(), address })
    }
}

/// An address whose scheme this kind of store knows.
///
/// # Errors
/// When it has another one, or none.
pub fn url(capability: Capability, text: &str) -> Result<Sensitive, BindingError> {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme);
    if scheme.is_some_and(|scheme| schemes(capability).contains(&scheme)) {
        return Ok(Sensitive::new(text.to_owned()));
    }
    Err(BindingError::Scheme { capability })
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.capability, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_names_a_kind_a_name_and_an_address() {
        let check = |text: &str, capability, name: &str| {
            let binding: Binding = text.parse().unwrap();
            assert_eq!((binding.capability, binding.name.as_str()), (capability, name), "{text}");
            assert!(!format!("{binding:?} {binding}").contains("://"), "{binding:?}");
        };
        check("keyvalue.default=redis://:pass@cache:6379", Capability::Keyvalue, "default");
        check("blobstore.images.big=s3://bucket/prefix", Capability::Blobstore, "images.big");
        check("postgres.main=env:DATABASE_URL", Capability::Postgres, "main");
    }

    #[test]
    fn anything_else_is_refused() {
        let check = |text: &str, expected: &str| {
            assert_eq!(text.parse::<Binding>().unwrap_err().to_string(), expected, "{text}");
        };
        let form = "write KIND.NAME=URL, for example `keyvalue.default=redis://127.0.0.1:6379`";
        for text in [
            "",
            "keyvalue",
            "keyvalue.default",
            "keyvalue=redis://x",
            "keyvalue.=redis://x",
            "keyvalue.a=",
            "keyvalue.a=env:",
        ] {
            check(text, form);
        }
        check("env.HOME=redis://x", "\"env\" has no backends; `keyvalue`, `blobstore` and `postgres` have");
        check("keyvalue.a=http://x", "a `keyvalue` can be bound to `redis:`, `rediss:`, `nats:`, `tls:`");
        check("postgres.a=redis://x", "a `postgres` can be bound to `postgres:`, `postgresql:`");
    }
}
