//! Tokens: what is kept of them, and whom they admit.

use std::fmt;

use cumulet_spec::id::TenantId;
use cumulet_spec::token::{Actor, Reach, Scope, TokenId, TokenName, TokenText};
use serde::Serialize;
use subtle::ConstantTimeEq as _;
use thiserror::Error;

use crate::registry::RegistryError;

/// The most tokens of one tenant, and of the node.
pub const REACH_TOKENS_MAX: usize = 1_000;

/// A token that is to be made. Its text stays with whoever makes it.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What it is called where it is listed.
    pub id: TokenId,
    /// [`TokenText::hash`] of it.
    pub hash: [u8; 32],
    /// What people call it.
    pub name: TokenName,
    /// Whose things it may see and touch.
    pub reach: Reach,
    /// What it may do.
    pub scope: Scope,
    /// From when on it admits nobody, in µs since 1970.
    pub expires_us: Option<u64>,
    /// Who made it.
    pub by: Actor,
    /// When it was made, in µs since 1970.
    pub at_us: u64,
}

/// A token as it is kept.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct TokenRow {
    /// What it is called where it is listed.
    pub id: TokenId,
    #[serde(skip)]
    pub(crate) hash: [u8; 32],
    /// What people call it.
    pub name: TokenName,
    /// Whose things it may see and touch.
    pub reach: Reach,
    /// What it may do.
    pub scope: Scope,
    /// From when on it admits nobody, in µs since 1970.
    pub expires_us: Option<u64>,
    /// Who made it.
    pub by: Actor,
    /// When it was made, in µs since 1970.
    pub at_us: u64,
}

/// Whoever holds a token that admits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The token.
    pub token: TokenId,
    /// What people call it.
    pub name: TokenName,
    /// Whose things it may see and touch.
    pub reach: Reach,
    /// What it may do.
    pub scope: Scope,
}

/// A token admits nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TokenRefused {
    /// It is none of ours.
    #[error("this token is not known here; take the one that this node made, or ask its admin for another")]
    Unknown,
    /// Its time has passed.
    #[error("this token has expired; ask the admin of this node for another")]
    Expired,
}

impl TokenRow {
    /// Whom a token admits at a time, in µs since 1970.
    ///
    /// The comparison takes as long for a text that is nearly right as for any other.
    ///
    /// # Errors
    /// When it is not this token, or its time has passed.
    pub fn admits(&self, text: &TokenText, now_us: u64) -> Result<Bearer, TokenRefused> {
        if *text.id() != self.id {
            return Err(TokenRefused::Unknown);
        }
        self.admits_hash(&text.hash(), now_us)
    }

    /// Whom it admits by the hash of a text that was shown before: another token that got the same id since is not it.
    ///
    /// # Errors
    /// When it is not this token, or its time has passed.
    pub fn admits_hash(&self, hash: &[u8; 32], now_us: u64) -> Result<Bearer, TokenRefused> {
        if !bool::from(self.hash.ct_eq(hash)) {
            return Err(TokenRefused::Unknown);
        }
        if self.expires_us.is_some_and(|expires_us| now_us >= expires_us) {
            return Err(TokenRefused::Expired);
        }
        Ok(Bearer { token: self.id.clone(), name: self.name.clone(), reach: self.reach.clone(), scope: self.scope })
    }
}

impl fmt::Debug for TokenRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRow")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("reach", &self.reach)
            .field("scope", &self.scope)
            .field("expires_us", &self.expires_us)
            .finish_non_exhaustive()
    }
}

impl Bearer {
    /// Whether this may be done with what belongs to a tenant.
    #[must_use]
    pub fn may(&self, scope: Scope, tenant: &TenantId) -> bool {
        self.scope >= scope && self.reach.includes(tenant)
    }

    /// Whether this may be done with the node itself, and with who its tenants are.
    #[must_use]
    pub fn may_on_node(&self, scope: Scope) -> bool {
        self.scope >= scope && self.reach == Reach::Node
    }

    /// Whether it may make or remove a token of this reach and scope: one can only give what one has.
    #[must_use]
    pub fn may_give(&self, reach: &Reach, scope: Scope) -> bool {
        let is_within = self.reach == Reach::Node || self.reach == *reach;
        self.scope == Scope::Admin && is_within && scope <= self.scope
    }

    /// Who this is, for changes and for the audit log.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor::Token { id: self.token.clone(), name: self.name.clone() }
    }
}

/// A token was not made or removed.
#[derive(Debug, Error)]
#[error("token {id} was not made or removed")]
pub struct TokenError {
    /// The token.
    pub id: TokenId,
    /// Why.
    #[source]
    pub kind: TokenErrorKind,
}

/// Why a token was not made or removed.
#[derive(Debug, Error)]
pub enum TokenErrorKind {
    /// There is one with this id.
    #[error("there is one of that id; take another id")]
    Exists,
    /// There is none.
    #[error("there is none of that id; look at the list of tokens")]
    Unknown,
    /// There are too many.
    #[error("there are {REACH_TOKENS_MAX} tokens of this reach, which is the most; remove some")]
    TooMany,
    /// Nobody could use the node any more.
    #[error("it is the last that may do everything on this node and never expires; make another one first")]
    LastAdmin,
    /// The registry does not work.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(reach: Reach, scope: Scope) -> (TokenText, TokenRow) {
        let text = TokenText::new(TokenId::parse("abcd1234").unwrap(), &[7; 32]);
        let row = TokenRow {
            id: text.id().clone(),
            hash: text.hash(),
            name: TokenName::parse("ci").unwrap(),
            reach,
            scope,
            expires_us: Some(1_000),
            by: Actor::Node,
            at_us: 1,
        };
        (text, row)
    }

    #[test]
    fn only_the_token_itself_admits_and_only_in_time() {
        let (text, row) = row(Reach::Node, Scope::Read);
        assert_eq!(row.admits(&text, 999).map(|bearer| bearer.token), Ok(row.id.clone()));
        assert_eq!(row.admits(&text, 1_000), Err(TokenRefused::Expired));
        let other = TokenText::new(row.id.clone(), &[8; 32]);
        assert_eq!(row.admits(&other, 999), Err(TokenRefused::Unknown));
        assert_eq!(row.admits(&other, 1_000), Err(TokenRefused::Unknown), "a stranger learns that it has expired");
        assert!(row.admits_hash(&text.hash(), 999).is_ok());
        assert_eq!(row.admits_hash(&other.hash(), 999), Err(TokenRefused::Unknown));
        assert_eq!(row.admits_hash(&text.hash(), 1_000), Err(TokenRefused::Expired));
        let renamed = TokenRow { id: TokenId::parse("another1").unwrap(), ..row.clone() };
        assert_eq!(renamed.admits(&text, 999), Err(TokenRefused::Unknown));
        assert!(!format!("{row:?}").contains("hash") && !serde_json::to_string(&row).unwrap().contains("hash"));
    }

    #[test]
    fn a_bearer_may_what_its_scope_and_reach_say() {
        let tenant = |name: &str| TenantId::parse(name).unwrap();
        for scope in Scope::ALL {
            for reach in [Reach::Node, Reach::Tenant(tenant("acme"))] {
                let (text, row) = row(reach.clone(), scope);
                let bearer = row.admits(&text, 0).unwrap();
                for asked in Scope::ALL {
                    let is_whole = reach == Reach::Node;
                    assert_eq!(bearer.may(asked, &tenant("acme")), scope >= asked);
                    assert_eq!(bearer.may(asked, &tenant("evil")), scope >= asked && is_whole);
                    assert_eq!(bearer.may_on_node(asked), scope >= asked && is_whole);
                    let is_admin = scope == Scope::Admin;
                    assert_eq!(bearer.may_give(&Reach::Node, asked), is_admin && is_whole);
                    assert_eq!(bearer.may_give(&Reach::Tenant(tenant("acme")), asked), is_admin);
                    assert_eq!(bearer.may_give(&Reach::Tenant(tenant("evil")), asked), is_admin && is_whole);
                }
            }
        }
    }
}
