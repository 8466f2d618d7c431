//! Tokens: who calls the admin API, and what they may do.

mod actor;
mod text;

use serde::{Deserialize, Serialize};

use crate::checked_text::{checked_text, is_lower_alphanumeric, lower_alphanumeric};
use crate::id::TenantId;

pub use actor::{Actor, ActorError};
pub use text::{TOKEN_SECRET_BYTES, TokenText, TokenTextError};

/// The longest name of a token, in characters.
pub const TOKEN_NAME_CHARS_MAX: usize = 64;

checked_text!(
    /// What a token is called where it is listed: 8 to 16 of `[a-z0-9]`, unique on a node. It is no secret.
    TokenId,
    /// The text is not a token's id. It may be a whole token, so it is not shown.
    TokenIdError = "not the id of a token: 8 to 16 of a-z and 0-9",
    is_token_id
);

checked_text!(
    /// What people call a token: 1 to 64 characters, none of them a control character, and no space at either end.
    TokenName,
    /// The text cannot name a token.
    TokenNameError = "not a name for a token: 1 to 64 characters on one line, without spaces around them",
    is_token_name
);

impl TokenId {
    /// The id of 12 characters that stands for these bits, which should be random.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        Self(lower_alphanumeric(bits.into(), 12).into())
    }
}

fn is_token_id(text: &str) -> bool {
    is_lower_alphanumeric(text, (8, 16))
}

fn is_token_name(text: &str) -> bool {
    let fits = (1..=TOKEN_NAME_CHARS_MAX).contains(&text.chars().count());
    fits && text.trim() == text && !text.chars().any(char::is_control)
}

/// What a token may do; each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// See what is there.
    Read,
    /// Deploy apps, change their traffic, remove them.
    Deploy,
    /// Make and remove tokens; tenants too, if it reaches the whole node.
    Admin,
}

impl Scope {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Deploy, Self::Admin];

    /// Its name, as people write it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Deploy => "deploy",
            Self::Admin => "admin",
        }
    }
}

/// Whose things a token may see and touch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Those of every tenant, and the node's own.
    Node,
    /// Those of one tenant.
    Tenant(TenantId),
}

impl Reach {
    /// Whether what belongs to this tenant is within it.
    #[must_use]
    pub fn includes(&self, tenant: &TenantId) -> bool {
        match self {
            Self::Node => true,
            Self::Tenant(own) => own == tenant,
        }
    }

    /// The one tenant that it is limited to.
    #[must_use]
    pub fn tenant(&self) -> Option<&TenantId> {
        match self {
            Self::Node => None,
            Self::Tenant(tenant) => Some(tenant),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_include_those_before_them() {
        assert!(Scope::Read < Scope::Deploy && Scope::Deploy < Scope::Admin);
        for scope in Scope::ALL {
            assert_eq!(serde_json::to_string(&scope).unwrap(), format!("\"{}\"", scope.label()));
        }
    }

    #[test]
    fn a_reach_is_the_node_or_one_tenant() {
        let tenant = |name: &str| TenantId::parse(name).unwrap();
        assert!(Reach::Node.includes(&tenant("acme")));
        assert!(Reach::Tenant(tenant("acme")).includes(&tenant("acme")));
        assert!(!Reach::Tenant(tenant("acme")).includes(&tenant("evil")));
        assert_eq!(serde_json::to_string(&Reach::Node).unwrap(), "\"node\"");
        assert_eq!(serde_json::to_string(&Reach::Tenant(tenant("acme"))).unwrap(), r#"{"tenant":"acme"}"#);
    }

    #[test]
    fn ids_and_names_are_bounded() {
        assert_eq!(TokenId::from_bits(0).as_str(), "000000000000");
        assert!(TokenId::parse(TokenId::from_bits(u64::MAX).as_str()).is_ok());
        for bad in ["", "abcdefg", "ABCDEFGH", "abcdefg-", &"a".repeat(17)] {
            assert!(TokenId::parse(bad).is_err(), "{bad:?}");
        }
        for good in ["ci", "Ci of the shop", "größe", &"é".repeat(64)] {
            assert!(TokenName::parse(good).is_ok(), "{good:?}");
        }
        for bad in ["", " ", " ci", "a\nb", "a\u{1b}[0m", &"x".repeat(65)] {
            assert!(TokenName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
