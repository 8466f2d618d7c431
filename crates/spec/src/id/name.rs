//! Names that people give: apps, components, tenants, nodes.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest name, in bytes: a name is also a DNS label (RFC 1035).
pub const NAME_BYTES_MAX: usize = 63;

/// What is wrong with a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a valid {noun}: 1 to 63 of a-z, 0-9 and `-`")]
pub struct IdError {
    /// What the name should have been, for example `app name`.
    pub noun: &'static str,
    /// The text that was given.
    pub found: String,
}

/// Defines a name: `[a-z0-9-]{1,63}`, cheap to clone.
macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $noun:literal) => {
        $(#[$doc])*
        ///
        /// It is 1 to 63 of `[a-z0-9-]`. A clone shares the text.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(Arc<str>);

        impl $type {
            /// Reads a name.
            ///
            /// # Errors
            /// When the text is empty, longer than [`NAME_BYTES_MAX`] or holds anything but `[a-z0-9-]`.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                if is_name(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(IdError { noun: $noun, found: text.to_owned() })
                }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The nearest valid name to any text: lower case, everything else a `-`, cut at 63 bytes.
            ///
            /// Text of which nothing is left becomes `app`.
            #[must_use]
            pub fn nearest(text: &str) -> Self {
                let name = make_name(text);
                Self(if name.is_empty() { "app".into() } else { name.into() })
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $type {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0.as_ref().to_owned()
            }
        }
    };
}

name!(
    /// The name of an app, unique within its tenant.
    AppName,
    "app name"
);
name!(
    /// The name of a component, unique within its app.
    ComponentName,
    "component name"
);
name!(
    /// Who owns apps and pays for them.
    TenantId,
    "tenant name"
);
name!(
    /// The name of a node, unique within its cluster.
    NodeName,
    "node name"
);

impl TenantId {
    /// The tenant of everything that runs where no tenants were set up: under `cumulet up` and `cumulet run`.
    #[must_use]
    pub fn local() -> Self {
        Self("local".into())
    }
}

impl NodeName {
    /// The name of a node that was given none.
    #[must_use]
    pub fn local() -> Self {
        Self("local".into())
    }
}

fn is_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

fn make_name(text: &str) -> String {
    let mut name = String::new();
    for char in text.chars().map(|char| char.to_ascii_lowercase()) {
        let kept = if matches!(char, 'a'..='z' | '0'..='9') { char } else { '-' };
        if !(kept == '-' && (name.is_empty() || name.ends_with('-'))) {
            name.push(kept);
        }
        if name.len() == NAME_BYTES_MAX {
            break;
        }
    }
    name.truncate(name.trim_end_matches('-').len());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_dns_label_in_lower_case() {
        for good in ["a", "shop", "shop-2", "-", "0", &"x".repeat(63)] {
            assert_eq!(AppName::parse(good).map(|name| name.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "Shop", "my app", "a.b", "é", "a_b", &"x".repeat(64)] {
            assert!(AppName::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn any_text_has_a_nearest_name() {
        let check = |text: &str, expect: &str| {
            let name = ComponentName::nearest(text);
            assert_eq!(name.as_str(), expect);
            assert_eq!(ComponentName::parse(name.as_str()), Ok(name));
        };
        check("front", "front");
        check("My_Front.v2", "my-front-v2");
        check("__x__", "x");
        check("   ", "app");
        check("", "app");
        check("größe", "gr-e");
        check(&"ab".repeat(60), &"ab".repeat(60)[..63]);
    }

    #[test]
    fn a_name_is_checked_when_read_back() {
        assert_eq!(serde_json::to_string(&AppName::parse("shop").unwrap()).unwrap(), "\"shop\"");
        let error = serde_json::from_str::<AppName>("\"Shop\"").unwrap_err().to_string();
        assert!(error.contains("not a valid app name"), "{error}");
    }
}
